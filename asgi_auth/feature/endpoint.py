"""Endpoints, declared by the signature of a feature's methods.

The keyword parameters of an endpoint are the fields of the body, and for GET those of the query. The library injects
`client`, `identity`, `served` and `basic`: `Identity` requires a login, `Identity | None` accepts one, and so for the
`BasicCredentials` of a program. `**data` are the extra
fields that the host has declared. The return annotation is the answer. A call in process runs the same checks and hooks
as a call over HTTP.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, TypeAlias, get_args, get_type_hints

import msgspec

from asgi_auth.errors import AuthError, NotFoundError, ValidationError
from asgi_auth.model.answers import Answer, TokenPair
from asgi_auth.model.basic import BasicCredentials
from asgi_auth.model.limits import Rule, parse_rules
from asgi_auth.sessions.identity import Identity
from asgi_auth.validation.fields import INJECTED, BodyField
from asgi_auth.validation.permissions import check_name
from asgi_auth.validation.reasons import Reason
from asgi_auth.validation.user_field import DeclaredField, Field

#: The errors of an endpoint with values in its path.
PATH_ERRORS = (NotFoundError, ValidationError)
Function = Callable[..., Awaitable[Any]]
#: Whether another user may act at an endpoint.
Acting: TypeAlias = Literal[True, False, "always"]
#: What a call can guess.
Guesses: TypeAlias = Literal["password", "second factor"]


@dataclass(eq=False)
class Endpoint:
    """A declared endpoint: everything that routing, checks and documentation read. The signature is read late."""

    function: Function
    method: str
    path: str
    _: KW_ONLY
    status: int = 200
    oauth2: bool = False
    #: Whether a body in the form of OAuth 2, with unknown members, is JSON (RFC 7591).
    reads_json: bool = False
    ends_session: bool = False
    partial: bool = False
    logs_in: bool = False
    #: Whether another site sends browsers here: unknown fields are ignored, a POST is a form from any site, and tokens
    #: go to cookies.
    navigates: bool = False
    #: The field by which a script of another site begins what the endpoint begins, to go on at its page in `next`.
    #: Without both, a browser that another site sends there stops at a page first, and is refused where there are no
    #: pages.
    begun_by: str = ""
    cacheable: bool = False
    #: The seconds that caches may keep a cacheable answer without a request.
    max_age: int = 0
    #: Whether its reads may come from a replica of the database, and so be a moment old.
    replica: bool = False
    #: Whether scripts of every site may call it, without cookies; it knows no caller.
    any_origin: bool = False
    #: What a call guesses; guesses of one kind are counted together.
    guesses: Guesses | None = None
    #: The field with the address of an account, which features may let callers name in another way.
    names: str = ""
    #: Whether the caller needs a login within `Settings.fresh`.
    fresh: bool = False
    #: Whether the caller needs a login with a second factor, if the user has one.
    second_factor: bool = False
    #: The permission that the caller needs.
    permission: str | None = None
    #: Whether the endpoint accepts credentials without a session.
    keys: bool = False
    #: Whether sessions in which another user acts may call it; None: only to read, where a login is enough. To write,
    #: that user needs all permissions of the first one, unless this is `always`.
    acting: Acting | None = None
    #: Whether it sets all extra fields, those for administrators as well.
    administers: bool = False
    #: The limits in the notation of `parse_rules`; None: those of all endpoints of its kind.
    limits: str | None = None
    event: str | None = None
    errors: Sequence[type[AuthError]] = ()
    also: Sequence[type[Answer]] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read name, summary and limits. Raises ValueError for limits and a permission in no valid notation."""
        if self.permission is not None:
            check_name(self.permission)
        self.name: str = self.function.__name__
        #: Whether it is OAuth 2's token endpoint, of which each grant type has limits of its own.
        self.is_token_endpoint: bool = self.oauth2 and self.logs_in
        self.rules: list[Rule] | None = None if self.limits is None else parse_rules(self.limits)
        self.summary: str = (inspect.getdoc(self.function) or "").partition("\n")[0]

    @functools.cached_property
    def hints(self) -> dict[str, Any]:
        """The annotations, resolved."""
        return get_type_hints(self.function, include_extras=True)

    @functools.cached_property
    def fields(self) -> dict[str, BodyField]:
        """The fields of path, and of body or query, by name."""
        parameters = inspect.signature(self.function).parameters.values()
        fields = [item for item in parameters if item.kind is item.KEYWORD_ONLY and item.name not in INJECTED]
        return {item.name: BodyField(self.hints[item.name], item.default is item.empty) for item in fields}

    @functools.cached_property
    def injected(self) -> tuple[str, ...]:
        """The parameters that the library fills in."""
        return tuple(name for name in ("client", "identity", "served", "basic") if name in self.hints)

    @property
    def takes_data(self) -> bool:
        """Whether the body has the host's extra fields."""
        return "data" in self.hints and "data" not in self.fields

    @functools.cached_property
    def needs_login(self) -> bool:
        """Whether the endpoint requires an authenticated caller."""
        return self.hints.get("identity") is Identity

    @functools.cached_property
    def needs_program(self) -> bool:
        """Whether the endpoint requires the name and the secret of a program."""
        return self.hints.get("basic") is BasicCredentials

    @property
    def is_way_out(self) -> bool:
        """Whether it ends the session of any visitor by the refresh token, also where the cookies cannot be used."""
        return self.ends_session and not self.needs_login and "refresh_token" in self.fields

    @functools.cached_property
    def is_for_user_alone(self) -> bool:
        """Whether a session in which another user acts may not call it: all that is not reading, and does not allow it.

        Logins and endpoints that know no caller are for everyone: their callers prove who they are by other means.
        """
        knows_caller = "identity" in self.injected or (self.gives_tokens and not self.logs_in)
        if self.acting is not None or not knows_caller:
            return self.acting is False
        demands = self.fresh or self.second_factor or self.permission or self.guesses
        return self.method != "GET" or bool(demands or self.gives_tokens)

    @property
    def may_be_outranked(self) -> bool:
        """Whether another user may act at it for a user with more permissions: to read, or `always`."""
        return self.method == "GET" or self.acting == "always"

    @functools.cached_property
    def gives_tokens(self) -> bool:
        """Whether the answer may hold tokens, which then may be set as cookies."""
        kinds = (self.hints["return"], *get_args(self.hints["return"]))
        return any(kind is TokenPair or "tokens" in getattr(kind, "__annotations__", {}) for kind in kinds)

    def extra_fields(self, declared: Sequence[Field]) -> list[Field]:
        """Select the host's extra fields that this endpoint may write: the rule for JSON and for forms."""
        writers = {"user"} if self.method == "PATCH" else {"register", "user"}
        writers |= {"register", "admin"} if self.administers else set()
        return [item for item in declared if self.takes_data and item.write in writers]

    def all_fields(self, declared: Sequence[Field]) -> dict[str, BodyField]:
        """The fields of path, and of body or query, with the host's extra fields."""
        return self.fields | {
            item.name: DeclaredField(
                item.change if self.partial else item.annotation, item.required and not self.partial, item
            )
            for item in self.extra_fields(declared)
        }

    def check(self, fields: Mapping[str, BodyField], arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Check every field and return the values; raise ValidationError with the errors of all fields.

        `fields` are those of `all_fields`, and those of features.
        """
        errors: dict[str, list[Reason]] = {}
        values: dict[str, Any] = {}
        for name in [] if self.oauth2 or self.navigates else arguments.keys() - fields.keys():
            errors[name] = [Reason("unknown")]
        for name, one in fields.items():
            try:
                if name in arguments and not one.is_omitted(arguments[name]):
                    values[name] = one.convert(arguments[name])
                elif one.required:
                    errors[name] = [Reason("missing")]
            except msgspec.ValidationError as error:
                errors[name] = [Reason.of(error)]
        if errors:
            raise ValidationError(errors)
        return values
