"""AuthX with tokens in the header, as its documentation has it."""

from authx import AuthX, AuthXConfig
from fastapi import Depends, FastAPI

from benchmarks.contenders import base
from benchmarks.contenders.fastapi_tutorial import plain


class AuthXContender(base.Contender):
    """Tokens are believed until they expire."""

    operations = ()

    async def open(self) -> None:
        """Make the apps."""
        self.auth = AuthX(config=AuthXConfig(JWT_SECRET_KEY=base.SECRET, JWT_TOKEN_LOCATION=["headers"]))
        self.bare, self.app = plain(), FastAPI()
        self.auth.handle_errors(self.app)

        @self.app.get("/", dependencies=[Depends(self.auth.access_token_required)])
        async def home() -> str:
            return "ok"

    async def requests(self, kind: str, count: int) -> list[base.Request]:
        """One token, again and again."""
        token = self.auth.create_access_token(uid="user0")
        return [base.Request("GET", "/", base.bearer(token))] * count


make = AuthXContender
