"""The credentials of a request: bearer token, cookies, websocket subprotocol. Repeated credentials are refused."""

import msgspec
from starlette.types import Scope

from asgi_auth.errors import BadRequestError
from asgi_auth.web.cookies import Cookies

MAX_HEADER = 16384
#: Device cookies after this number of characters are ignored.
MAX_DEVICE = 2048
SUBPROTOCOL = "bearer."


class PresentedCredentials(msgspec.Struct):
    """The credentials of one request. Absent credentials are None; a Bearer header without a token is empty.

    `device` has the values of all device cookies, separated by spaces.
    """

    bearer: str | None = None
    access: str | None = None
    refresh: str | None = None
    device: str = ""

    @property
    def by_cookie(self) -> bool:
        """Whether the request has an access cookie or a refresh cookie."""
        return self.access is not None or self.refresh is not None


class CredentialReader:
    """Reads credentials from request headers."""

    def __init__(self, cookies: Cookies) -> None:
        """Take the names of the cookies."""
        self._access = cookies.access.encode()
        self._refresh = cookies.refresh.encode()
        self._device = cookies.device.encode()

    def read(self, scope: Scope) -> PresentedCredentials:
        """Read the credentials; raises BadRequestError for a repeated Authorization header or cookie (RFC 6750, 2)."""
        presented = PresentedCredentials()
        authorized = False
        for name, value in scope["headers"]:
            if name == b"authorization":
                if authorized:
                    raise BadRequestError("The header authorization occurs twice.")
                authorized = True
                presented.bearer = _bearer(value)
            elif name == b"cookie":
                self._cookies(value, presented)
        if scope["type"] == "websocket":
            _subprotocol(scope, presented)
        return presented

    def _cookies(self, line: bytes, presented: PresentedCredentials) -> None:
        if len(line) > MAX_HEADER:
            raise BadRequestError("The cookies are too large.")
        for pair in line.split(b";"):
            name, _, value = pair.strip().partition(b"=")
            if name == self._access:
                if presented.access is not None:
                    raise BadRequestError("A cookie occurs twice.")
                presented.access = value.decode("latin-1")
            elif name == self._refresh:
                if presented.refresh is not None:
                    raise BadRequestError("A cookie occurs twice.")
                presented.refresh = value.decode("latin-1")
            elif name == self._device and len(presented.device) < MAX_DEVICE:
                presented.device = f"{presented.device} {value.decode('latin-1')}".strip()


def _bearer(value: bytes) -> str | None:
    """Return the token of a Bearer header; None for other schemes."""
    scheme, _, token = value.partition(b" ")
    return token.strip(b" ").decode("latin-1") if scheme.lower() == b"bearer" else None


def _subprotocol(scope: Scope, presented: PresentedCredentials) -> None:
    """Read the token from the subprotocol `bearer.<token>`, because browsers cannot set websocket headers."""
    for protocol in scope.get("subprotocols") or ():
        if protocol.startswith(SUBPROTOCOL):
            if presented.bearer is not None:
                raise BadRequestError("The request has two bearer tokens.")
            presented.bearer = protocol[len(SUBPROTOCOL) :]
