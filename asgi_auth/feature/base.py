"""The interface between features and the core: declarations, endpoints and hooks."""

from collections.abc import Callable, Collection, Container, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from asgi_auth.errors import (
    AuthError,
    FreshLoginRequiredError,
    ImpersonatedError,
    InvalidTokenError,
    PendingLoginExpiredError,
    SecondFactorNeededError,
    TokenExpiredError,
    TokenRevokedError,
    UnauthorizedError,
)
from asgi_auth.feature.call import Call, Ending
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.feature.grant import Grant
from asgi_auth.feature.page import Form, Page, Section
from asgi_auth.feature.pipeline import Pipeline
from asgi_auth.feature.root_path import RootPath
from asgi_auth.model.event_types import Action, Noticed
from asgi_auth.model.look import Look
from asgi_auth.model.records import Credential, Event, LoginAttempt, User
from asgi_auth.sessions.factor import Factor
from asgi_auth.sessions.identity import Identity
from asgi_auth.storage import Storage
from asgi_auth.texts import Overrides
from asgi_auth.texts.added import declare
from asgi_auth.validation.user_field import Field

#: The errors of callers that are not logged in, or whose token is not valid.
REFUSED_TOKENS = (UnauthorizedError, InvalidTokenError, TokenExpiredError, TokenRevokedError)
#: The errors of callers that set up a second factor with neither a fresh login nor a pending one.
REFUSED_SETUPS = (
    UnauthorizedError,
    FreshLoginRequiredError,
    SecondFactorNeededError,
    ImpersonatedError,
    PendingLoginExpiredError,
    TokenRevokedError,
)


class BaseFeature:
    """The hooks of a feature, all optional. A hook refuses by raising an AuthError."""

    #: The features and services that this feature needs, by class; a missing one is a ValueError.
    needs: ClassVar[tuple[type, ...]] = ()
    #: The packages that the feature imports at its first call, each with the extra of this library that installs it. A
    #: missing one is a ValueError when the `Auth` is made.
    requires: Mapping[str, str] = {}
    #: Whether the feature is of no use without mail; then a missing mailer is logged at start.
    needs_mail: ClassVar[bool] = False
    #: The purposes of the mails that it sends.
    mails: ClassVar[tuple[str, ...]] = ()
    #: Those of its mails that the feature `Notices` sends after an event with an outcome; a third item is the `kind` in
    #: the data of the event.
    notices: ClassVar[Mapping[Noticed, str]] = {}
    #: The texts that it adds to the catalog, by language and code, such as `mail.<purpose>.subject`.
    texts: ClassVar[Overrides] = {}
    #: Its folder, `Path(__file__).parent`, with `texts/<language>.toml`, `templates/*.html` and `scripts/*.js`.
    room: ClassVar[Path | None] = None
    #: Its pages, their forms, and its sections of the account page; the feature `Pages` serves them.
    pages: ClassVar[Sequence[Page]] = ()
    forms: ClassVar[Sequence[Form]] = ()
    sections: ClassVar[Sequence[Section]] = ()
    #: The templates that every page shows at its top, by name: `banners/<name>.html`. They have the user as `me`, or
    #: None, and as `actor` the id of another user who acts, or None.
    banners: ClassVar[Sequence[str]] = ()
    #: The files in `scripts` that every page loads; they are served below the mount.
    scripts: ClassVar[Sequence[str]] = ()
    #: Whether its scripts call endpoints of the library: the Content-Security-Policy of pages then allows that.
    scripts_call: ClassVar[bool] = False
    #: Whether it serves HTML pages, to which mails can link.
    shows_pages: ClassVar[bool] = False
    #: The look of mails; None: that of the library.
    look: Look | None = None
    #: The events that it adds to those of the library, by name.
    actions: ClassVar[Mapping[str, Action]] = {}
    #: The events that `observe` receives; None: all of them.
    observes: Container[str] | None = None
    #: The kinds of credentials that are second factors: a user with one needs it to log in.
    factor_kinds: Mapping[str, Factor] = {}
    #: The kinds of credentials that a logged-in user can prove again, and the name of the way: `{"totp": "totp"}`.
    #: Where the way depends on the credential, `way_of` names it.
    reauthenticates: ClassVar[Mapping[str, str]] = {}
    #: The extra fields of users that it declares, beside those of the setting `fields`.
    user_fields: Sequence[Field] = ()
    #: The field by which a caller can name an account in place of its address, at endpoints with the option `names`;
    #: `address_of` resolves it.
    names_by: ClassVar[str] = ""
    #: The permissions that it asks for, by its endpoints or in other ways.
    permissions: Sequence[str] = ()
    #: What roles permit while the setting `permissions` is empty, such as all of the feature's `permissions`.
    default_roles: Mapping[str, Sequence[str]] = {}
    #: The kinds of credentials whose secrets it seals with `auth.vault`, about `<kind> <user id> <credential id>`.
    sealed_kinds: ClassVar[Collection[str]] = ()
    #: The role of administrators, if the feature has one; the command line gives it to those that it creates.
    admin_role: str = ""
    #: The endpoints that its settings name; an unknown one is a ValueError.
    needs_endpoints: Collection[str] = ()

    #: The exact URLs of other sites that redirects may lead to, for every caller.
    redirects_to: Collection[str] = ()
    #: Whether other programs find its endpoints by the metadata of the server (RFC 8414). `Auth` then adds the features
    #: that serve the metadata and the revocation of tokens.
    announces: ClassVar[bool] = False
    #: The security schemes of its credentials, for the OpenAPI document: how to call endpoints with `keys=True`.
    schemes: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    pipeline: Pipeline

    def __init_subclass__(cls) -> None:
        """Make the purposes of its mails known to mailers."""
        super().__init_subclass__()
        declare(cls.mails)

    def attach(self, auth: Any) -> None:
        """Join an `Auth`: called once, before any request. A subclass calls this one first."""
        self.pipeline = auth.pipeline

    @property
    def services(self) -> Sequence[object]:
        """The services that it offers to other features, found by `auth[Service]`."""
        return ()

    @property
    def grants(self) -> Mapping[str, Grant]:
        """The grant types that it offers to the OAuth 2 token endpoint, by name."""
        return {}

    @property
    def root_paths(self) -> Mapping[str, RootPath]:
        """The exact paths below `/.well-known/` at the root of the host that lead to endpoints; read once attached."""
        return {}

    @property
    def endpoints(self) -> list[Endpoint]:
        """The endpoints that the class declares, in the order of their declaration."""
        found = {
            name: getattr(value, "endpoint", None)
            for kind in type(self).__mro__[::-1]
            for name, value in vars(kind).items()
        }
        return [endpoint for endpoint in found.values() if isinstance(endpoint, Endpoint)]

    @classmethod
    def rooms(cls) -> list[Path]:
        """Return the folder of the class, and those of its bases."""
        found = (vars(kind).get("room") for kind in cls.__mro__)
        return list(dict.fromkeys(room for room in found if isinstance(room, Path)))

    @classmethod
    def overrides(cls, hook: str) -> bool:
        """Tell whether the class overrides a hook; other hooks are never called."""
        return getattr(cls, hook) is not getattr(BaseFeature, hook)

    async def authenticate(self, scope: Mapping[str, Any]) -> Identity | None:
        """Authenticate a request by credentials that the feature defines.

        Return None for credentials that are not the feature's; raise UnauthorizedError for invalid ones.
        """

    async def address_of(self, name: str) -> str:
        """Return the address of the account that a value of `names_by` names.

        An unknown name costs the same work, and becomes an address that no account has or can have.
        """
        return name

    def takes_part(self, endpoint: Endpoint) -> bool:  # noqa: ARG002 (a hook)
        """Tell whether `before` and `after` run at an endpoint; called once for each endpoint."""
        return self.overrides("before") or self.overrides("after")

    def takes_part_after(self, endpoint: Endpoint) -> bool:  # noqa: ARG002 (a hook)
        """Tell whether `after` runs at an endpoint at which the feature takes part; called once for each endpoint."""
        return self.overrides("after")

    def fields_at(self, endpoint: Endpoint) -> Mapping[str, Any]:  # noqa: ARG002 (a hook)
        """Return the fields that the feature adds to an endpoint of another one, with their types.

        They are part of the body (of the query for GET), of the form and of the OpenAPI document, and never required:
        `before` judges them. Their values are in `Call.added`.
        """
        return {}

    async def before(self, call: Call) -> None:
        """Run before an endpoint; raise to refuse the call."""

    async def refused(self, call: Call) -> None:
        """Run after a body was refused for its form: it cannot be read, or has invalid fields. `call` has no values.

        Raise to answer another refusal, such as a limit. Runs where the feature takes part.
        """

    async def after(self, call: Call, ending: Ending) -> None:
        """Run after an endpoint, or after the refusal of a call, before the caller gets the answer.

        An error replaces the refusal of an endpoint; after all other endings it is logged.
        """

    async def before_login(self, login: LoginAttempt) -> None:
        """Run before a user gets a session; raise to refuse the login."""

    async def second_factor(self, login: LoginAttempt) -> Collection[str]:  # noqa: ARG002 (a hook)
        """Name the further factors of which one is required, beside those of `factors`; none by default."""
        return ()

    def way_of(self, credential: Credential) -> str:
        """Name the way by which a logged-in user can prove a credential again; empty if there is none.

        By default that of `reauthenticates`, for credentials with a secret. The last segment of the path of its
        endpoint, `/reauthenticate/<way>`, has the same name.
        """
        return self.reauthenticates.get(credential.kind, "") if credential.secret else ""

    async def needs_second_factor(self, login: LoginAttempt) -> bool:  # noqa: ARG002 (a hook)
        """Tell whether a user must have a second factor: without one, the login goes on with its setup."""
        return False

    async def waives(self, login: LoginAttempt) -> bool:  # noqa: ARG002 (a hook)
        """Tell whether a login needs no second factor, though the user has one."""
        return False

    async def exported(self, user: User) -> Mapping[str, Any]:  # noqa: ARG002 (a hook)
        """Return what the feature stores about a user in tables of its own, for the export: JSON, without secrets."""
        return {}

    async def before_delete(self, storage: Storage, user: User) -> None:
        """Run in the transaction that deletes a user; raise to keep the user."""

    async def ways_in(self, storage: Storage, user: User) -> Collection[str]:  # noqa: ARG002 (a hook)
        """Name the ways by which a user can log in with the feature. Runs in a transaction that takes one away."""
        return ()

    async def observe(self, event: Event) -> None:
        """Receive an event of `observes`. Errors are logged, and not raised."""

    def errors_at(self, endpoint: Endpoint) -> Collection[type[AuthError]]:  # noqa: ARG002 (a hook)
        """Name the errors that the other hooks raise at an endpoint, for the OpenAPI document."""
        return ()

    def note_at(self, endpoint: Endpoint) -> str:  # noqa: ARG002 (a hook)
        """Return a sentence about an endpoint for the OpenAPI document, such as its limits; empty without one."""
        return ""

    def metadata(self, url_of: Callable[[str], str | None]) -> Mapping[str, Any]:  # noqa: ARG002 (a hook)
        """Return members of the metadata of the server (RFC 8414); lists of features are joined, None is left out.

        `url_of` returns the public URL of an endpoint by its name, or None where it is not served.
        """
        return {}

    async def close(self) -> None:
        """End what the feature began in the running loop; the storage is still open."""

    async def purge(self, now: int, batch: int) -> int:  # noqa: ARG002 (a hook)
        """Delete at most `batch` expired rows and return their number; called again until it returns 0.

        Runs in the background, in one process at a time.
        """
        return 0
