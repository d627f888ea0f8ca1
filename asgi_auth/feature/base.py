"""The feature mechanism: a feature is a class with hooks, and endpoints that are declared in it (`endpoint.py`)."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from asgi_auth.errors import AuthError, InvalidTokenError, TokenExpiredError, TokenRevokedError, UnauthorizedError
from asgi_auth.feature.endpoint import Call, Endpoint
from asgi_auth.model.event_types import Action
from asgi_auth.model.records import Event, LoginAttempt
from asgi_auth.sessions.identity import Identity

if TYPE_CHECKING:
    from asgi_auth.auth import Auth

#: What somebody hears who isn't logged in, or whose token is no good.
REFUSED_TOKENS = (UnauthorizedError, InvalidTokenError, TokenExpiredError, TokenRevokedError)


class Feature:
    """Base of all features. Every hook may be left out; a refusal is raised as an AuthError."""

    auth: "Auth"
    #: The kinds of features that this one can't do without.
    needs: "ClassVar[tuple[type[Feature], ...]]" = ()
    #: Whether it is of no use without mails; then a missing mailer is warned of at start.
    needs_mail: ClassVar[bool] = False
    #: The purposes of the mails that it sends.
    mails: ClassVar[tuple[str, ...]] = ()
    #: Whether there are pages for people, to which mails can link.
    shows_pages: ClassVar[bool] = False
    #: What it tells that the library doesn't know, by name.
    actions: ClassVar[Mapping[str, Action]] = {}
    #: The names of endpoints that its settings speak of; one that isn't there is a ValueError.
    needs_endpoints: Collection[str] = ()

    @property
    def endpoints(self) -> list[Endpoint]:
        """The endpoints that the class declares, in the order of their declaration."""
        found = {
            name: getattr(value, "endpoint", None)
            for kind in type(self).__mro__[::-1]
            for name, value in vars(kind).items()
        }
        return [endpoint for endpoint in found.values() if isinstance(endpoint, Endpoint)]

    async def authenticate(self, scope: Mapping[str, Any]) -> Identity | None:
        """Recognise who sent a request: an identity, None (not mine), or an error (mine, and bad)."""

    async def before(self, call: Call) -> None:
        """Hear that an endpoint is about to run; raise to refuse."""

    async def before_login(self, login: LoginAttempt) -> None:
        """Hear that a user is about to get a session; raise to refuse."""

    async def second_factor(self, login: LoginAttempt) -> Collection[str]:  # noqa: ARG002 (a hook)
        """Name the further factors of which one is wanted; none by default."""
        return ()

    async def observe(self, event: Event) -> None:
        """Hear what has happened. An error here is logged, and changes nothing."""

    def hears(self, name: str) -> bool:  # noqa: ARG002 (a hook)
        """Tell whether `observe` wants the events of a name; all by default. Asked once for each name.

        A subclass whose `observe` wants more says so here, too.
        """
        return True

    def errors_at(self, endpoint: Endpoint) -> Collection[type[AuthError]]:  # noqa: ARG002 (a hook)
        """Name the errors that its other hooks raise at an endpoint, for the OpenAPI document; none by default."""
        return ()

    async def close(self) -> None:
        """End what was begun in the running loop; the storage is still open."""

    async def purge(self, now: int, batch: int) -> int:  # noqa: ARG002 (a hook)
        """Delete at most `batch` of what is too old, and return how many; asked again until there is none.

        It runs in the background, in one process at a time.
        """
        return 0
