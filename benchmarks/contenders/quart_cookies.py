"""quart-auth: a signed cookie with the user's id, as its documentation has it."""

from quart import Quart
from quart_auth import AuthUser, QuartAuth, login_required, login_user

from benchmarks.contenders import base
from benchmarks.contenders.calls import call


class QuartCookies(base.Contender):
    """Cookies are believed until they expire."""

    kinds = ("cookie",)
    operations = ()

    async def open(self) -> None:
        """Make the apps."""
        self.bare, self.app = Quart("bare"), Quart("app")
        self.app.secret_key = base.SECRET
        QuartAuth(self.app)

        @self.bare.get("/")
        async def home() -> str:
            return "ok"

        @self.app.get("/")
        @login_required
        async def protected() -> str:
            return "ok"

        @self.app.post("/login")
        async def login() -> str:
            login_user(AuthUser("user0"))
            return "ok"

    async def requests(self, kind: str, count: int) -> list[base.Request]:
        """One cookie, again and again."""
        _, _, headers = await call(self.app, base.Request("POST", "/login"))
        cookie = next(value for name, value in headers if name.lower() == b"set-cookie").partition(b";")[0]
        return [base.Request("GET", "/", [(b"cookie", cookie)])] * count


make = QuartCookies
