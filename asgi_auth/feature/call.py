"""A call of an endpoint, as hooks and limits see it."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.model.answers import SetCookie
from asgi_auth.model.concealed import Concealed
from asgi_auth.model.records import Client, Record
from asgi_auth.sessions.identity import Identity

#: How a call has ended: the endpoint returned, refused with an error below 500, or has not judged the call.
Ending: TypeAlias = Literal["done", "refused", "failed"]


class Call(Concealed, Record, frozen=True):
    """An endpoint that is about to run, with checked values, such as passwords: they are not in the `repr`."""

    concealed: ClassVar[frozenset[str]] = frozenset({"values", "notes", "added"})

    endpoint: Endpoint
    values: Mapping[str, Any]
    client: Client
    identity: Identity
    #: Notes of features about this call, for each other and for later hooks.
    notes: dict[str, Any] = msgspec.field(default_factory=dict)
    #: The values of the fields that features add to the endpoint (`fields_at`).
    added: Mapping[str, Any] = msgspec.field(default_factory=dict)
    #: The cookies that `after` hooks add to the response of a browser.
    cookies: list[SetCookie] = msgspec.field(default_factory=list)


#: The note of a call with the id of the user that acts for the caller.
ACTOR = "actor"
#: The note of a call over HTTP that says where its tokens go: `bearer` or `cookie`.
TRANSPORT = "transport"
#: The note of a call with the name and secret of the program that calls.
BASIC = "basic"
#: The note of a call with the name by which its caller named the account, where that is not the address.
NAMED = "named"
#: The notes of the call that runs in this task, if one does. Only the notes: tasks that a call begins keep a copy.
running: ContextVar[dict[str, Any] | None] = ContextVar("asgi_auth_call", default=None)
