"""The decorators that declare endpoints: `@get`, `@post`, `@patch`, `@delete`.

All take `status`, `event` (the action that has failed when the endpoint refuses), `limits` (how often it may be called,
such as `30/m/ip, 300/h/ip`: `RateLimits` counts), `errors` (those that the method itself raises), `also` (answers past
the return annotation) and `schema` (what the method asks of the body beyond its fields, in JSON Schema); the last three
are for the OpenAPI document.

`fresh` demands a login within `Settings.fresh`, `second_factor` a login with a second factor of users that have one,
and `permission` one of the feature's `permissions`. `keys` also accepts credentials without a session, such as API
keys. All four need the parameter `identity`. An unknown option is a TypeError, and a limit or a permission in no valid
notation a ValueError.

Sessions in which another user acts may read where a login is enough, and call nothing else: `acting=True` allows a
call, and `acting=False` forbids one. A call that writes is refused when the user has a permission that the acting user
lacks, unless it is `acting="always"`. `administers`: the extra fields are those for administrators, too.

`navigates`: another site sends browsers to the endpoint, as at the end of a login there. Unknown fields are ignored, a
POST is a form that may come from any site and so must change nothing, and tokens go to cookies.

`any_origin`: scripts of every site may call the endpoint (CORS `*`). Cookies and access tokens are not read there, so
it has no parameter `identity`.
"""

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypedDict, TypeVar, Unpack, cast

from asgi_auth.errors import AuthError
from asgi_auth.feature.base import BaseFeature
from asgi_auth.feature.call import BASIC, Call
from asgi_auth.feature.endpoint import Acting, Endpoint, Guesses
from asgi_auth.model.answers import Answer
from asgi_auth.model.basic import BasicCredentials
from asgi_auth.model.records import Client
from asgi_auth.sessions.identity import ANONYMOUS, Identity
from asgi_auth.sources.blame import unknown_options

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


class Options(TypedDict, total=False):
    """The options of every endpoint."""

    status: int
    event: str | None
    errors: Sequence[type[AuthError]]
    also: Sequence[type[Answer]]
    schema: Mapping[str, Any]
    limits: str
    fresh: bool
    second_factor: bool
    permission: str
    acting: Acting
    administers: bool
    keys: bool
    navigates: bool
    any_origin: bool


class GetOptions(Options, total=False):
    """The options of `@get`."""

    cacheable: bool
    max_age: int
    replica: bool
    logs_in: bool
    begun_by: str


class PostOptions(Options, total=False):
    """The options of `@post`."""

    oauth2: bool
    reads_json: bool
    logs_in: bool
    guesses: Guesses
    names: str
    ends_session: bool
    partial: bool


class PatchOptions(Options, total=False):
    """The options of `@patch`."""

    partial: bool


class DeleteOptions(Options, total=False):
    """The options of `@delete`."""

    ends_session: bool


def get(path: str, **options: Unpack[GetOptions]) -> Callable[[F], F]:
    """Declare an endpoint that only reads. `cacheable`: caches may keep the answer and ask by its ETag.

    `max_age`: the seconds in which caches need not ask. `replica`: its reads may come from a replica of the database,
    and so be a moment old: for an endpoint that shows something, and decides nothing by it.

    Two are for an endpoint that `navigates`. `logs_in`: it gives a user a session at the end of a redirect. `begun_by`:
    the field by which a script of another site begins what the endpoint begins, without a step of the user here; the
    field `next` names the page of the script where it goes on.
    """
    return _declare("GET", path, GetOptions, options)


def post(path: str, **options: Unpack[PostOptions]) -> Callable[[F], F]:
    """Declare an endpoint that acts.

    `names`: the field with the address of an account, which callers may name by another field of a feature, too.
    `logs_in`: it gives a user a session by `auth.login`, and raises its errors. `guesses`: it checks a `password` or a
    `second factor`, so its calls are counted as guesses. `ends_session`: cookies are cleared. `oauth2`: it reads forms
    and answers errors in the form of RFC 6749. `partial`: extra fields may be left out, also required ones.
    """
    return _declare("POST", path, PostOptions, options)


def patch(path: str, **options: Unpack[PatchOptions]) -> Callable[[F], F]:
    """Declare an endpoint that changes. `partial`: extra fields that are left out stay as they are."""
    return _declare("PATCH", path, PatchOptions, options)


def delete(path: str, **options: Unpack[DeleteOptions]) -> Callable[[F], F]:
    """Declare an endpoint that removes. `ends_session`: cookies are cleared."""
    return _declare("DELETE", path, DeleteOptions, options)


def _declare(method: str, path: str, kind: type, options: Mapping[str, Any]) -> Callable[[F], F]:
    if unknown := unknown_options(options.keys(), kind.__annotations__.keys()):
        raise TypeError(f"@{method.lower()} has no option {unknown}")

    def declare(function: F) -> F:
        endpoint = Endpoint(function, method, path, **options)

        @functools.wraps(function)
        async def call(
            self: BaseFeature,
            *,
            client: Client | None = None,
            identity: Identity | None = None,
            basic: BasicCredentials | None = None,
            **arguments: Any,
        ) -> Any:
            made = Call(endpoint, arguments, client or Client(), identity or ANONYMOUS, {BASIC: basic} if basic else {})
            return await self.pipeline.run(self, made)

        call.endpoint = endpoint  # type: ignore[attr-defined]  # functions take attributes
        return cast("F", call)

    return declare
