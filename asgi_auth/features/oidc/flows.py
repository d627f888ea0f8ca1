"""The state of a login at a provider: nothing is stored, all of it is derived from a random cookie.

The cookie holds a random value of the browser, and where the login goes on. The state is a MAC over both, the provider
and the time. The nonce and the verifier of PKCE are MACs over the state. So only the browser that began a login can
finish it, at the provider where it was begun, within ten minutes, and once: a finished one leaves a mark in the
database, whatever counts the limits (RFC 9700, section 4.7; CVE-2026-28787).
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping

import msgspec

from asgi_auth.crypto.keys import KeyRing
from asgi_auth.feature import Record, SetCookie
from asgi_auth.features.oidc.errors import InvalidLoginStateError
from asgi_auth.storage import Storage

#: Seconds that a login at a provider may take, and seconds after its begin for which the mark stays: it outlives it.
TTL, REMEMBERED = 600, 1200
#: The shape of a state: an id, a time, and a MAC in base64url.
STATE = re.compile(r"([0-9a-f]{24})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})")
PURPOSE = "oidc state"
#: The cookies of logins that were begun, and how many a browser has: a further one ends the oldest.
BEGUN, MOST = re.compile("oidc-[0-9a-f]{24}"), 4
#: The cookie with the name of a user, and seconds that it lives: the browser goes on at once.
LABEL, LABEL_TTL = "oidc-name", 60


class Begun(Record, frozen=True, kw_only=True):
    """What the cookie holds: a random value, where the login goes on, and the session of a link or a step-up.

    `challenge` is that of the script that has begun the login.
    """

    browser: str
    next: str = ""
    session: str = ""
    renews: bool = False
    challenge: str = ""


class Flow:
    """A login at a provider that this browser has begun."""

    def __init__(self, key: bytes, state: str, cookie: str, begun: Begun) -> None:
        """Take the key of the installation, the state, and the cookie with what it holds."""
        self.state = state
        self.cookie = cookie
        self.begun = begun
        #: When it was begun, in seconds since 1970.
        self.begun_at: int = int(state.split(".")[1])
        self.nonce: str = _mac(key, "oidc nonce", state, cookie)
        self.verifier: str = _mac(key, "oidc verifier", state, cookie)

    @property
    def challenge(self) -> str:
        """The challenge of PKCE by the method S256 (RFC 7636, section 4.2)."""
        return challenge_of(self.verifier)

    @property
    def cookie_name(self) -> str:
        """The name of the cookie: each login has its own, so two tabs do not disturb each other."""
        return name_of(self.state)

    def set_cookies(self, present: Iterable[str]) -> tuple[SetCookie, ...]:
        """Return the cookie, and those that delete the oldest logins of a browser that has begun too many.

        Lax always: a strict one would not come back from the provider. `present` are the names of its cookies, the
        oldest first, as browsers send them (RFC 6265, section 5.4). Another site can begin logins, and must not fill a
        browser with cookies.
        """
        others = [name for name in present if BEGUN.fullmatch(name)]
        own = SetCookie(self.cookie_name, self.cookie, TTL)
        return own, *(SetCookie(name, "", 0) for name in others[: max(0, len(others) - MOST + 1)])

    def forget_cookie(self) -> SetCookie:
        """Return the cookie that deletes it."""
        return SetCookie(self.cookie_name, "", 0)


class Flows:
    """Begins logins at providers, and recognizes their end."""

    def __init__(self, keys: KeyRing, storage: Storage, now: Callable[[], float]) -> None:
        """Take the keys, the storage of the marks, and the clock."""
        self._keys = keys
        self._storage = storage
        self._now = now

    def begin(
        self, provider: str, target: str, *, session: str = "", renews: bool = False, challenge: str = ""
    ) -> Flow:
        """Begin a login at a provider that goes on at a target.

        With a `session`, it links the account to the user of it, or `renews` the session. With a `challenge`, a script
        has begun it.
        """
        browser = secrets.token_urlsafe(32)
        begun = Begun(browser=browser, next=target, session=session, renews=renews, challenge=challenge)
        cookie = _text(msgspec.json.encode(begun))
        # By the oldest secret: during a rolling change of secrets all processes have it.
        key = self._keys.for_service(PURPOSE)[-1]
        body = f"{secrets.token_hex(12)}.{int(self._now())}"
        return Flow(key, f"{body}.{_mac(key, PURPOSE, provider, body, cookie)}", cookie, begun)

    async def finish(self, provider: str, state: str, cookies: Mapping[str, str]) -> Flow:
        """Recognize the end of a login, and use it up. Raises InvalidLoginStateError for all others.

        Raises StorageUnavailableError when the mark cannot be written.
        """
        found = STATE.fullmatch(state)
        cookie = cookies.get(name_of(state), "") if found else ""
        if found is None or not cookie:
            raise InvalidLoginStateError
        body = f"{found[1]}.{found[2]}"
        for key in self._keys.for_service(PURPOSE):
            if hmac.compare_digest(found[3], _mac(key, PURPOSE, provider, body, cookie)):
                break
        else:
            raise InvalidLoginStateError
        begun_at = int(found[2])
        if not -TTL < int(self._now()) - begun_at < TTL:
            raise InvalidLoginStateError
        digest = hashlib.sha256(f"{PURPOSE} {state}".encode()).hexdigest()
        if (await self._storage.count(digest, begun_at, REMEMBERED)).count != 1:
            raise InvalidLoginStateError
        return Flow(key, state, cookie, _begun(cookie))


def name_of(state: str) -> str:
    """Return the name of the cookie of a state."""
    return f"oidc-{_id_of(state)}"


def label_cookie(state: str, label: str) -> SetCookie:
    """Return the cookie that carries the name of the user from the form of a provider to the end of the login.

    It is one for all logins: pages of other sites can send such forms, and must not fill a browser with cookies.
    """
    return SetCookie(LABEL, _text(f"{_id_of(state)} {label}".encode()), LABEL_TTL)


def label_in(state: str, cookies: Mapping[str, str]) -> str:
    """Return the name in that cookie; empty without one, and for one of another login."""
    value = cookies.get(LABEL, "")
    try:
        found = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
    login, _, label = found.partition(" ")
    return label if login == _id_of(state) else ""


def challenge_of(verifier: str) -> str:
    """Return the challenge of a verifier by S256 (RFC 7636, section 4.2)."""
    return _text(hashlib.sha256(verifier.encode()).digest())


def is_verifier(verifier: str, challenge: str) -> bool:
    """Tell whether a challenge was made of a verifier."""
    return hmac.compare_digest(challenge, challenge_of(verifier))


def _id_of(state: str) -> str:
    return state.partition(".")[0]


def _begun(cookie: str) -> Begun:
    try:
        raw = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
        return msgspec.json.decode(raw, type=Begun)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise InvalidLoginStateError from None


def _mac(key: bytes, purpose: str, *parts: str) -> str:
    return _text(hmac.digest(key, "\0".join((purpose, *parts)).encode(), "sha256"))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
