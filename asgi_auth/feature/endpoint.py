"""Endpoints, declared by the signature of a feature's methods.

The keyword parameters of an endpoint are the fields of the body; `client`, `identity` and `served` are given by the
library (`Identity` wants a login, `Identity | None` takes one); `**data` are the extra fields that the host has
declared. The return annotation is the answer. Called in process, the method does the same checks and hooks as over
HTTP.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast, get_args, get_type_hints

import msgspec

from asgi_auth.errors import AuthError, ValidationError
from asgi_auth.model.records import Client, Record, TokenPair
from asgi_auth.sessions.identity import ANONYMOUS, Identity
from asgi_auth.validation.fields import INJECTED, BodyField, Field, convert
from asgi_auth.validation.reasons import Reason

if TYPE_CHECKING:
    from asgi_auth.auth import Auth
    from asgi_auth.feature.base import Feature

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


class Call(Record, frozen=True):
    """An endpoint about to run, with checked values."""

    endpoint: "Endpoint"
    values: Mapping[str, Any]
    client: Client
    identity: Identity
    #: What features have found out about it, for each other and for later.
    notes: dict[str, Any] = msgspec.field(default_factory=dict)


#: The notes of the call that runs in this task, if one does. No more of it: tasks that are begun keep a copy for long.
running: ContextVar[dict[str, Any] | None] = ContextVar("asgi_auth_call", default=None)


class Route(NamedTuple):
    """An endpoint of a feature."""

    feature: "Feature"
    endpoint: "Endpoint"


class Served(Record, frozen=True):
    """What an app serves: its routes with their paths, and its own URL, with or without a host."""

    routes: Iterable[tuple[str, Route]]
    url: str


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
        feature: "Feature",
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
            await feature.auth.report_refusal(error, client, Call(self, arguments, client, identity))
            raise

    async def _call(
        self,
        feature: "Feature",
        arguments: Mapping[str, Any],
        client: Client,
        identity: Identity,
        served: Served | None,
    ) -> Any:
        if self.needs_login:
            identity.require()
        values = self.check(feature.auth, arguments)
        call = Call(self, values, client, identity)
        token = running.set(call.notes)
        try:
            await feature.auth.ask_before(call)
            injected = {"client": client, "identity": identity, "served": served}
            return await self.function(
                feature, **values, **{name: injected[name] for name in injected if name in self.hints}
            )
        finally:
            running.reset(token)
            call.notes.clear()

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
        for name, wanted in fields.items():
            try:
                if name in arguments:
                    values[name] = convert(arguments[name], wanted.type)
                elif wanted.required:
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
            self: "Feature", *, client: Client | None = None, identity: Identity | None = None, **arguments: Any
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
