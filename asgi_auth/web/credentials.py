"""What a request shows: bearer token, cookies, websocket subprotocol. One pass over the headers, doubles refused."""

import msgspec
from starlette.types import Scope

from asgi_auth.errors import BadRequestError
from asgi_auth.web.cookies import Cookies

MAX_HEADER = 16384
SUBPROTOCOL = "bearer."


class PresentedCredentials(msgspec.Struct):
    """The credentials of one request; None for what isn't there, an empty bearer for one that can't be read."""

    bearer: str | None = None
    access: str | None = None
    refresh: str | None = None

    @property
    def by_cookie(self) -> bool:
        """Whether a cookie of ours is there."""
        return self.access is not None or self.refresh is not None


class CredentialReader:
    """Reads credentials; knows the names of the cookies."""

    def __init__(self, cookies: Cookies) -> None:
        """Take the names as they stand in headers."""
        self._access = cookies.access.encode()
        self._refresh = cookies.refresh.encode()

    def read(self, scope: Scope) -> PresentedCredentials:
        """Read; raises BadRequestError for two Authorization headers, or one of our cookies twice (RFC 6750, 2)."""
        shown = PresentedCredentials()
        authorized = False
        for name, value in scope["headers"]:
            if name == b"authorization":
                if authorized:
                    raise BadRequestError("The header authorization stands twice.")
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
                    raise BadRequestError("A cookie stands twice.")
                shown.access = value.decode("latin-1")
            elif name == self._refresh:
                if shown.refresh is not None:
                    raise BadRequestError("A cookie stands twice.")
                shown.refresh = value.decode("latin-1")


def _bearer(value: bytes) -> str | None:
    """The token of a Bearer header; None for another scheme, which isn't ours."""
    scheme, _, token = value.partition(b" ")
    return token.strip(b" ").decode("latin-1") if scheme.lower() == b"bearer" else None


def _subprotocol(scope: Scope, shown: PresentedCredentials) -> None:
    """The token that a browser can only send as a subprotocol `bearer.<token>`."""
    for protocol in scope.get("subprotocols") or ():
        if protocol.startswith(SUBPROTOCOL):
            if shown.bearer is not None:
                raise BadRequestError("There are two bearer tokens.")
            shown.bearer = protocol[len(SUBPROTOCOL) :]
