"""The credentials of a request: bearer token, cookies, websocket subprotocol. Repeated ones are refused."""

import msgspec
from starlette.types import Scope

from asgi_auth.errors import BadRequestError
from asgi_auth.web.cookies import Cookies

MAX_HEADER = 16384
SUBPROTOCOL = "bearer."


class PresentedCredentials(msgspec.Struct):
    """The credentials of one request: None for a missing one, an empty bearer for an unreadable one."""

    bearer: str | None = None
    access: str | None = None
    refresh: str | None = None

    @property
    def by_cookie(self) -> bool:
        """Whether the request has one of the two cookies."""
        return self.access is not None or self.refresh is not None


class CredentialReader:
    """Reads credentials; knows the names of the cookies."""

    def __init__(self, cookies: Cookies) -> None:
        """Take the names of the cookies."""
        self._access = cookies.access.encode()
        self._refresh = cookies.refresh.encode()

    def read(self, scope: Scope) -> PresentedCredentials:
        """Read. Raises BadRequestError for a repeated Authorization header or auth cookie (RFC 6750, section 2)."""
        shown = PresentedCredentials()
        authorized = False
        for name, value in scope["headers"]:
            if name == b"authorization":
                if authorized:
                    raise BadRequestError("The header authorization is repeated.")
                authorized = True
                shown.bearer = _bearer(value)
            elif name == b"cookie":
                self._cookies(value, shown)
        if scope["type"] == "websocket":
            _subprotocol(scope, shown)
        return shown

    def _cookies(self, line: bytes, shown: PresentedCredentials) -> None:
        if len(line) > MAX_HEADER:
            raise BadRequestError("The cookies are too large.")
        for pair in line.split(b";"):
            name, _, value = pair.strip().partition(b"=")
            if name == self._access:
                if shown.access is not None:
                    raise BadRequestError("A cookie is repeated.")
                shown.access = value.decode("latin-1")
            elif name == self._refresh:
                if shown.refresh is not None:
                    raise BadRequestError("A cookie is repeated.")
                shown.refresh = value.decode("latin-1")


def _bearer(value: bytes) -> str | None:
    """Return the token of a Bearer header; None for another scheme."""
    scheme, _, token = value.partition(b" ")
    return token.strip(b" ").decode("latin-1") if scheme.lower() == b"bearer" else None


def _subprotocol(scope: Scope, shown: PresentedCredentials) -> None:
    """Read the token of a browser's websocket, which can only be the subprotocol `bearer.<token>`."""
    for protocol in scope.get("subprotocols") or ():
        if protocol.startswith(SUBPROTOCOL):
            if shown.bearer is not None:
                raise BadRequestError("There are two bearer tokens.")
            shown.bearer = protocol[len(SUBPROTOCOL) :]
