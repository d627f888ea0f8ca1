"""The feature mechanism: a feature is a class with hooks, and endpoints declared by the signature of methods.

The keyword parameters of an endpoint are the fields of the body; `client`, `identity` and `served` are given by the
library (`Identity` wants a login, `Identity | None` takes one); `**data` are the extra fields that the host has
declared. The return annotation is the answer. Called in process, the method does the same checks and hooks as over
HTTP.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, cast, get_args, get_type_hints

import msgspec

from asgi_auth.errors import (
    AuthError,
    InvalidTokenError,
    TokenExpiredError,
    TokenRevokedError,
    UnauthorizedError,
    ValidationError,
)
from asgi_auth.events import Action
from asgi_auth.fields import INJECTED, BodyField, Field, convert
from asgi_auth.identity import ANONYMOUS, Identity
from asgi_auth.reasons import Reason
from asgi_auth.records import Client, Event, Record, TokenPair, User

if TYPE_CHECKING:
    from asgi_auth.auth import Auth

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
#: What somebody hears who isn't logged in, or whose token is no good.
REFUSED_TOKENS = (UnauthorizedError, InvalidTokenError, TokenExpiredError, TokenRevokedError)


class Login(Record, frozen=True):
    """A user about to get a session: by which factors, and from where."""

    user: User
    amr: tuple[str, ...]
    client: Client


class Call(Record, frozen=True):
    """An endpoint about to run, with checked values."""

    endpoint: "Endpoint"
    values: Mapping[str, Any]
    client: Client
    identity: Identity


class Route(NamedTuple):
    """An endpoint of a feature."""

    feature: "Feature"
    endpoint: "Endpoint"


class Served(Record, frozen=True):
    """What an app serves: its routes with their paths, and its own URL, with or without a host."""

    routes: Iterable[tuple[str, Route]]
    url: str


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
    def endpoints(self) -> list["Endpoint"]:
        """The endpoints that the class declares, in the order of their declaration."""
        found = {
            name: getattr(value, "endpoint", None)
            for kind in type(self).__mro__[::-1]
            for name, value in vars(kind).items()
        }
        return [endpoint for endpoint in found.values() if isinstance(endpoint, Endpoint)]

    async def identify(self, scope: Mapping[str, Any]) -> Identity | None:
        """Recognise who sent a request: an identity, None (not mine), or an error (mine, and bad)."""

    async def before(self, call: Call) -> None:
        """Hear that an endpoint is about to run; raise to refuse."""

    async def before_login(self, login: Login) -> None:
        """Hear that a user is about to get a session; raise to refuse."""

    async def second_factor(self, login: Login) -> Collection[str]:  # noqa: ARG002 (a hook)
        """Name the further factors of which one is wanted; none by default."""
        return ()

    async def observe(self, event: Event) -> None:
        """Hear what has happened. An error here is logged, and changes nothing."""

    def errors_at(self, endpoint: "Endpoint") -> Collection[type[AuthError]]:  # noqa: ARG002 (a hook)
        """Name the errors that its other hooks raise at an endpoint, for the OpenAPI document; none by default."""
        return ()

    async def close(self) -> None:
        """End what was begun in the running loop; the storage is still open."""

    async def purge(self, now: int, batch: int) -> int:  # noqa: ARG002 (a hook)
        """Delete at most `batch` of what is too old, and return how many; asked again until there is none.

        It runs in the background, in one process at a time.
        """
        return 0


class Endpoint:
    """A declared endpoint: everything that routing, checks and documentation read."""

    def __init__(
        self, function: Callable[..., Awaitable[Any]], method: str, path: str, options: Mapping[str, Any]
    ) -> None:
        """Take the method that declares it; the signature is read when it is first needed."""
        self.name = function.__name__
        self.method = method
        self.path = path
        self.status: int = options.get("status", 200)
        self.oauth2: bool = options.get("oauth2", False)
        self.ends_session: bool = options.get("ends_session", False)
        self.partial: bool = options.get("partial", False)
        self.logs_in: bool = options.get("logs_in", False)
        self.cacheable: bool = options.get("cacheable", False)
        self.errors: Sequence[type[AuthError]] = options.get("errors", ())
        self.schema: Mapping[str, Any] = options.get("schema", {})
        self.event: str | None = options.get("event")
        self.takes_password: bool = options.get("takes_password", False)
        self.summary = (inspect.getdoc(function) or "").partition("\n")[0]
        self.function = function

    @functools.cached_property
    def hints(self) -> dict[str, Any]:
        """The annotations, resolved."""
        return get_type_hints(self.function, include_extras=True)

    @functools.cached_property
    def fields(self) -> dict[str, BodyField]:
        """The fields of body and path, by name."""
        parameters = inspect.signature(self.function).parameters.values()
        ours = [item for item in parameters if item.kind is item.KEYWORD_ONLY and item.name not in INJECTED]
        return {item.name: BodyField(self.hints[item.name], item.default is item.empty) for item in ours}

    @property
    def takes_data(self) -> bool:
        """Whether the host's extra fields belong to the body."""
        return "data" in self.hints and "data" not in self.fields

    @property
    def needs_login(self) -> bool:
        """Whether it runs only for somebody who is logged in."""
        return self.hints.get("identity") is Identity

    @functools.cached_property
    def gives_tokens(self) -> bool:
        """Whether the answer may hold tokens, which then may be set as cookies."""
        return any(
            kind is TokenPair or "tokens" in getattr(kind, "__annotations__", {})
            for kind in (self.hints["return"], *get_args(self.hints["return"]))
        )

    async def call(
        self,
        feature: Feature,
        arguments: Mapping[str, Any],
        client: Client,
        identity: Identity,
        served: Served | None = None,
    ) -> Any:
        """Check the arguments, ask the features, run: over HTTP and in process alike."""
        telemetry = feature.auth.stream.telemetry
        try:
            with nullcontext() if telemetry is None else telemetry.span(self.name):
                return await self._call(feature, arguments, client, identity, served)
        except AuthError as error:
            await feature.auth.refused(error, client, Call(self, arguments, client, identity))
            raise

    async def _call(
        self,
        feature: Feature,
        arguments: Mapping[str, Any],
        client: Client,
        identity: Identity,
        served: Served | None,
    ) -> Any:
        if self.needs_login:
            identity.require()
        values = self.check(feature.auth, arguments)
        await feature.auth.ask_before(Call(self, values, client, identity))
        injected = {"client": client, "identity": identity, "served": served}
        return await self.function(
            feature, **values, **{name: injected[name] for name in injected if name in self.hints}
        )

    def all_fields(self, extra: Sequence[Field]) -> dict[str, BodyField]:
        """The fields of body and path, with those of the host's `extra` fields that belong to it."""
        if not self.takes_data:
            return self.fields
        return self.fields | {
            item.name: BodyField(item.change if self.partial else item.annotation, item.required and not self.partial)
            for item in extra
            if item.write == "user" or (item.write == "register" and not self.partial)
        }

    def check(self, auth: "Auth", arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Check every field and return their values; raise ValidationError with all that is wrong."""
        fields = self.all_fields(auth.settings.fields)
        errors: dict[str, list[Reason]] = {}
        values: dict[str, Any] = {}
        for name in [] if self.oauth2 else arguments.keys() - fields.keys():
            errors[name] = [Reason("unknown")]
        for name, field in fields.items():
            try:
                if name in arguments:
                    values[name] = convert(arguments[name], field.type)
                elif field.required:
                    errors[name] = [Reason("missing")]
            except msgspec.ValidationError as error:
                errors[name] = [Reason.of(error)]
        if errors:
            raise ValidationError(errors)
        return values


def _declare(method: str, path: str, options: Mapping[str, Any]) -> Callable[[F], F]:
    def declare(function: F) -> F:
        endpoint = Endpoint(function, method, path, options)

        @functools.wraps(function)
        async def call(
            self: Feature, *, client: Client | None = None, identity: Identity | None = None, **arguments: Any
        ) -> Any:
            return await endpoint.call(self, arguments, client or Client(), identity or ANONYMOUS)

        call.endpoint = endpoint  # type: ignore[attr-defined]  # functions take attributes
        return cast("F", call)

    return declare


def get(path: str, **options: Any) -> Callable[[F], F]:
    """Declare an endpoint that only reads. Options: `status`, `cacheable` (caches may keep it and ask again).

    All of these take `errors`, those that the method itself raises, and `schema`, what the method asks of the body
    beyond its fields, in JSON Schema: both for the OpenAPI document.
    """
    return _declare("GET", path, options)


def post(path: str, **options: Any) -> Callable[[F], F]:
    """Declare an endpoint that acts. Options: `status`, `oauth2` (RFC 6749 form and errors), `ends_session`.

    `logs_in`: it gives a user a session by `auth.login`, and so raises whatever that does.
    `event`: the action that has failed when it refuses.
    `takes_password`: it tells whether a password is right, and so is counted as a guess.
    """
    return _declare("POST", path, options)


def patch(path: str, **options: Any) -> Callable[[F], F]:
    """Declare an endpoint that changes. Options: `status`, `partial` (no extra field must be there)."""
    return _declare("PATCH", path, options)


def delete(path: str, **options: Any) -> Callable[[F], F]:
    """Declare an endpoint that removes. Options: `status`, `ends_session`."""
    return _declare("DELETE", path, options)
