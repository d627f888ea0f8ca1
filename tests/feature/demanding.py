"""A feature with an endpoint for each demand, and with API keys."""

from collections.abc import Mapping
from typing import Any

from asgi_auth import Argon2, Auth, Passwords, RateLimits, Sessions
from asgi_auth.errors import RateLimitedError, UnauthorizedError
from asgi_auth.feature import Feature, Identity, Line, LoginAttempt, Rule, User, get, post
from tests.support import EMAIL, Clock, make_auth


class Demanding(Feature):
    """Has an endpoint for each demand, and API keys."""

    schemes = {"key": {"type": "http", "scheme": "bearer"}}  # noqa: RUF012 (a class attribute)

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.with_factor = False

    async def second_factor(self, login: LoginAttempt) -> tuple[str, ...]:
        self.asked.append(login.user.id)
        return ("otp",) if self.with_factor else ()

    async def authenticate(self, scope: Mapping[str, Any]) -> Identity | None:
        sent = dict(scope["headers"])
        found: bytes = (sent.get(b"authorization") or sent.get(b"x-api-key") or b"").removeprefix(b"Bearer ")
        if found == b"ak_busy":
            raise RateLimitedError(7, Rule("account", 60, 1))
        if found.startswith(b"ak_") and found != b"ak_right":
            raise UnauthorizedError("This key is wrong.")
        if found not in {b"ak_right", b"Basic YTpi"}:
            return None
        return Identity.of_credential("api_key", await user_of(self.auth), amr=("api_key",))

    @post("/delicate", status=204, fresh=True)
    async def delicate(self, *, name: Line, identity: Identity) -> None:
        """Do something delicate."""

    @post("/guarded", status=204, second_factor=True)
    async def guarded(self, *, identity: Identity) -> None:
        """Do something guarded."""

    @post("/setup", status=204, fresh=True)
    async def setup(self, *, identity: Identity | None = None) -> None:
        """Do something with a login, or in another way."""

    @get("/roles")
    async def roles(self, *, identity: Identity) -> list[str]:
        """Return your roles."""
        return list(identity.roles)

    @post("/roles", fresh=True)
    async def current_roles(self, *, identity: Identity) -> list[str]:
        """Return your roles as they are now."""
        return list(identity.roles)

    @get("/machine", keys=True)
    async def machine(self, *, identity: Identity) -> list[str | None]:
        """Return who calls."""
        return [identity.id, identity.kind, identity.session_id, identity.transport, *identity.amr]

    @post("/machine/delicate", status=204, keys=True, fresh=True)
    async def machine_delicate(self, *, identity: Identity) -> None:
        """Do something delicate by a key."""

    @get("/open")
    async def open(self, *, identity: Identity | None = None) -> str:
        """Return who calls, if anyone."""
        return identity.id if identity else ""

    @get("/public")
    async def public(self) -> str:
        """Ask nothing of the caller."""
        return "public"


def demanding(clock: Clock | None = None, **options: Any) -> Auth:
    """An `Auth` with the feature."""
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Demanding(), RateLimits()]
    return make_auth(clock=clock, features=features, **options)


async def user_of(auth: Auth) -> User:
    """The user of the tests."""
    user = await auth.storage.user_by_email(EMAIL)
    assert user is not None
    return user
