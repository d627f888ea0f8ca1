"""What identities ask of their `Auth`."""

from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from asgi_auth.model.records import User
from asgi_auth.sessions.permissions import PermissionMap

Loader = Callable[[str], Awaitable[User | None]]


class Source(NamedTuple):
    """What an identity asks of its `Auth`: users by id, the time, the permissions of roles, and its event loop."""

    load: Loader
    now: Callable[[], float]
    permissions: PermissionMap
    loop: Callable[[], AbstractEventLoop | None]


#: What an identity without an `Auth` knows of permissions.
UNDECLARED = PermissionMap({}, ())
