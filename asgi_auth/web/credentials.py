"""The credentials of a request: bearer token, cookies, websocket subprotocol. A repeated bearer token is refused."""

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

import msgspec
from starlette.types import Scope

from asgi_auth.errors import BadRequestError
from asgi_auth.model.concealed import Concealed
from asgi_auth.web.cookies import NAME, Cookies

#: Cookie lines beyond this number of bytes are not read. The cookies of other software may fill many kilobytes.
MAX_HEADER = 65536
#: The maximum number of different values of one cookie.
MAX_VALUES = 8
#: Longer device cookies are not read. All others are: a sibling domain may have set many before the genuine one.
MAX_DEVICE = 512
#: The maximum number of cookies of features in one request, and their longest value, in characters.
MAX_OWN, MAX_OWN_VALUE = 16, 4096
#: Any cookie with a name that is not too long.
OWN = re.compile(rb"(?:^|;)[ \t]*([^\x00-\x20;=]{1,192})=([^;]*)")
SUBPROTOCOL = "bearer."


class OwnCookies(Mapping[str, str]):
    """The cookies of features in one request: `Client.cookies`. The values are credentials, and not in the `repr`."""

    def __init__(self) -> None:
        """Start without cookies."""
        self._values: dict[str, set[str]] = {}

    def add(self, name: str, value: str) -> None:
        """Add a cookie, up to the bounds."""
        if len(value) <= MAX_OWN_VALUE and (name in self._values or len(self._values) < MAX_OWN):
            # Two values are as good as ten: neither is used.
            found = self._values.setdefault(name, set())
            found |= {value} if len(found) < 2 else set()

    def __getitem__(self, name: str) -> str:
        """Return the value of a cookie. Raises BadRequestError when it has several: another site may have set one."""
        values = self._values[name]
        if len(values) > 1:
            raise BadRequestError("A cookie has several values.")
        return next(iter(values))

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._values)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._values)

    def __repr__(self) -> str:
        """Show the names."""
        return f"<OwnCookies {', '.join(self)}>"


class PresentedCredentials(Concealed, msgspec.Struct):
    """The credentials of one request. A Bearer header without a token is empty, an absent one is None.

    `access` and `refresh` are the different values of the cookies: browsers send a cookie several times when it is set
    for several domains or paths. `device` has the values of all device cookies, separated by spaces. `unreadable` says
    why the cookies of the session cannot be used. `own` are the cookies of features. No value is in the `repr`.
    """

    concealed: ClassVar[frozenset[str]] = frozenset({"bearer", "access", "refresh", "device"})

    bearer: str | None = None
    access: list[str] = []
    refresh: list[str] = []
    device: str = ""
    unreadable: str = ""
    own: OwnCookies | None = None

    @property
    def by_cookie(self) -> bool:
        """Whether the request has an access cookie or a refresh cookie."""
        return bool(self.access or self.refresh)

    @property
    def repeated(self) -> bool:
        """Whether one of the cookies has several values."""
        return len(self.access) > 1 or len(self.refresh) > 1


class CredentialReader:
    """Reads credentials from request headers."""

    def __init__(self, cookies: Cookies) -> None:
        """Take the names of the cookies."""
        self._access = cookies.access.encode()
        self._device = cookies.device.encode()
        self._prefix = self._access + b"-"
        # One search that is linear in the length, instead of a split: most cookies belong to other software.
        names = b"|".join(re.escape(name.encode()) for name in (cookies.access, cookies.refresh, cookies.device))
        self._pair = re.compile(rb"(?:^|;)[ \t]*(%s)=([^;]*)" % names)
        self._not_own = {cookies.refresh.encode(), self._device}

    def read(self, scope: Scope) -> PresentedCredentials:
        """Read the credentials; raises BadRequestError for a repeated Authorization header (RFC 6750, section 2)."""
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
            presented.unreadable = "The cookies are too large."
            return
        devices = [presented.device] if presented.device else []
        for name, value in self._pair.findall(line):
            text = value.strip().decode("latin-1")
            if name != self._device:
                _add(presented, presented.access if name == self._access else presented.refresh, text)
            elif 0 < len(text) <= MAX_DEVICE:
                devices.append(text)
        presented.device = " ".join(devices)
        if self._prefix in line:
            self._own(line, presented)

    def _own(self, line: bytes, presented: PresentedCredentials) -> None:
        """Read the cookies of features: those whose names begin as ours do."""
        for name, value in OWN.findall(line):
            own = name.removeprefix(self._prefix).decode("latin-1")
            if name.startswith(self._prefix) and name not in self._not_own and NAME.fullmatch(own):
                presented.own = presented.own or OwnCookies()
                presented.own.add(own, value.strip().decode("latin-1"))


def _add(presented: PresentedCredentials, values: list[str], text: str) -> None:
    """Add the value of a cookie, unless it is known."""
    if text not in values and len(values) == MAX_VALUES:
        presented.unreadable = "A cookie has too many values."
    elif text not in values:
        values.append(text)


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
