"""Nicknames: one for each user, announced by mail. A key that is shown once logs in with it."""

import hashlib
import hmac
import secrets
from pathlib import Path
from urllib.parse import quote, unquote

from asgi_auth.errors import AuthError, UnauthorizedError
from asgi_auth.feature import (
    Action,
    Call,
    Client,
    Credential,
    Endpoint,
    Feature,
    Form,
    Identity,
    Line,
    Page,
    Record,
    Redirect,
    Secret,
    Section,
    SetCookie,
    TokenPair,
    delete,
    get,
    new_id,
    post,
)

KIND = "nickname"


class NicknameTakenError(AuthError):
    """Another user has this nickname."""

    status = 409
    code = "nickname_taken"
    default_detail = "This nickname is taken."
    fields = ("name", "nickname")


class WrongKeyError(UnauthorizedError):
    """The nickname or the key is wrong; the error never tells which."""

    code = "wrong_key"
    default_detail = "The nickname or the key is wrong."


class Chosen(Record, frozen=True, kw_only=True):
    """A new nickname: its key, which is shown once, a picture of it (SVG), and whose invitation was followed."""

    name: str
    invited_by: str
    key: str
    badge: str


class Nickname(Record, frozen=True, kw_only=True):
    """The nickname of a user; empty without one."""

    name: str


class Nicknames(Feature):
    """Lets users choose a nickname, three times an hour, and log in with it and its key."""

    room = Path(__file__).parent
    mails = ("nickname",)
    actions = {"nickname": Action("A user chooses a nickname.", "user_updated", "user_update_fail")}  # noqa: RUF012
    pages = (
        Page(name="choose_nickname", endpoint="choose_nickname", login=True, links=("account",)),
        Page(name="nickname_login", endpoint="nickname_login", entrance=True, links=("login",), linked_from=("login",)),
    )
    forms = (
        Form(
            endpoint="choose_nickname",
            page="choose_nickname",
            said="nickname_chosen",
            shows=True,
            attributes={"name": {"autocomplete": "nickname"}},
        ),
        Form(endpoint="drop_nickname", page="account", after="account", said="nickname_dropped"),
        Form(
            endpoint="nickname_login", page="nickname_login", attributes={"key": {"autocomplete": "current-password"}}
        ),
    )
    sections = (Section(name="nickname", endpoint="nickname", order=15, loads=True),)
    scripts = ("nickname.js",)

    @get("/nickname/own")
    async def nickname(self, *, identity: Identity) -> Nickname:
        """Return your nickname."""
        found = await self.auth.storage.credentials(identity.id, KIND)
        return Nickname(name=found[0].data["name"] if found else "")

    @post("/nickname", limits="3/h/account", event="nickname", errors=(NicknameTakenError,))
    async def choose_nickname(self, *, name: Line, identity: Identity, client: Client = Client()) -> Chosen:
        """Choose your nickname. The key in the answer logs in with it."""
        user, key = await identity.load(), secrets.token_urlsafe(32)
        now = int(self.auth.now())
        credential = Credential(
            id=new_id(now),
            user_id=user.id,
            kind=KIND,
            identifier=name.casefold(),
            secret=digest_of(key),
            data={"name": name},
            created_at=now,
            updated_at=now,
        )
        async with self.auth.storage.transaction() as storage:
            await storage.delete_credentials(user.id, (KIND,))
            if not await storage.add_credential(credential):
                raise NicknameTakenError
        self.auth.letters.notify("nickname", user, client, {"nickname": name})
        await self.auth.emit("nickname", user_id=user.id, client=client)
        invited_by = unquote(client.cookies.get("invited_by", ""))
        return Chosen(name=name, invited_by=invited_by, key=key, badge=badge_of(name))

    @get("/nickname/invitation", limits="30/m/ip")
    async def invitation(self, *, by: Line) -> Redirect:
        """Follow the invitation of a user: a cookie remembers it for a day."""
        return Redirect("/", cookies=(SetCookie("invited_by", quote(by, safe=""), 86400),))

    @delete("/nickname", status=204)
    async def drop_nickname(self, *, identity: Identity) -> None:
        """Give up your nickname."""
        await self.auth.storage.delete_credentials(identity.id, (KIND,))

    @post("/nickname/login", logs_in=True, limits="30/m/ip", event="login", errors=(WrongKeyError,))
    async def nickname_login(self, *, name: Line, key: Secret, client: Client = Client()) -> TokenPair:
        """Log in with your nickname and its key."""
        found = await self.auth.storage.find_credential(KIND, name.casefold())
        if found is None or not hmac.compare_digest(found[1].secret, digest_of(key)):
            raise WrongKeyError
        user, credential = found
        return await self.auth.login(user, credential, amr=("nickname",), client=client)

    def fields_at(self, endpoint: Endpoint) -> dict[str, object]:
        return {"nickname": Line} if endpoint.name == "register" else {}

    def errors_at(self, endpoint: Endpoint) -> tuple[type[AuthError], ...]:
        return (NicknameTakenError,) if endpoint.name == "register" else ()

    async def before(self, call: Call) -> None:
        if (name := call.added.get("nickname")) and await self.auth.storage.find_credential(KIND, name.casefold()):
            raise NicknameTakenError


def digest_of(key: str) -> str:
    """Return what is stored of a key: it has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def badge_of(name: str) -> str:
    """Draw 25 squares of a nickname's hash. A style attribute would break the pages' Content-Security-Policy."""
    bits = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
    squares = [f'<path d="M{at % 5} {at // 5}h1v1h-1z"/>' for at in range(25) if bits >> at & 1]
    return (
        f'<svg viewBox="0 0 5 5" width="80" height="80" fill="currentColor" aria-hidden="true">{"".join(squares)}</svg>'
    )
