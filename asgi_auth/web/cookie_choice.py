"""One session out of cookies that a request has several times.

A browser sends a cookie once for each domain and path it was set for: after a change of `cookie_domain`, or beside the
cookies of another installation below the same domain. The genuine cookies of the newest login are used.
"""

from collections.abc import Awaitable, Callable
from typing import ClassVar, Protocol

import msgspec

from asgi_auth.errors import BadRequestError, InvalidTokenError
from asgi_auth.model.concealed import Concealed
from asgi_auth.model.records import Session
from asgi_auth.sessions.identity import Identity, Transport
from asgi_auth.settings import Settings
from asgi_auth.web.credentials import PresentedCredentials

TWO_USERS = "The cookies belong to different users. A logout deletes them."


class Verify(Protocol):
    """Verifies access tokens, as `TokenVerifier.verify` does it."""

    async def __call__(self, token: str, transport: Transport) -> Identity:
        """Return the identity; raises InvalidTokenError."""


class Choice(Concealed, msgspec.Struct):
    """At most one value of each cookie.

    `stale_access` and `stale_refresh` say that the other values of the cookie are genuine, too: the browser should
    forget them. A cookie that also has a foreign value is not deleted, as a deletion cannot name a value.
    """

    concealed: ClassVar[frozenset[str]] = frozenset({"access", "refresh"})

    access: str | None = None
    refresh: str | None = None
    stale_access: bool = False
    stale_refresh: bool = False

    @property
    def stale(self) -> bool:
        """Whether the browser should forget a cookie."""
        return self.stale_access or self.stale_refresh


class _Candidate(Concealed, msgspec.Struct):
    """A genuine cookie of a live session. `login` orders logins, `age` the cookies of one login."""

    concealed: ClassVar[frozenset[str]] = frozenset({"token"})

    login: tuple[int, str]
    age: int
    user_id: str
    token: str


class CookieChoice:
    """Chooses among repeated cookies."""

    def __init__(
        self,
        settings: Settings,
        verify: Verify,
        session_of: Callable[[str], Awaitable[Session | None]],
        now: Callable[[], float],
    ) -> None:
        """Take the verifier of access tokens; `session_of` returns the session of a genuine refresh token."""
        self._settings = settings
        self._verify = verify
        self._session_of = session_of
        self._now = now

    async def choose(self, presented: PresentedCredentials) -> Choice:
        """Choose the cookies of the newest login; cookies without a repetition are returned as they are.

        Raises BadRequestError when the cookies cannot be read, or when two users are logged in by them.
        """
        if presented.unreadable:
            raise _unusable(presented.unreadable)
        if not presented.repeated:
            await self._require_one_user(presented)
            return Choice(next(iter(presented.access), None), next(iter(presented.refresh), None))
        ended: list[str] = []
        access = [item for token in presented.access if (item := await self._by_access(token, ended))]
        refresh = [item for token in presented.refresh if (item := await self._by_refresh(token, ended))]
        if len({item.user_id for item in (*access, *refresh)}) > 1:
            raise _unusable(TWO_USERS)
        login = max((item.login for item in (*access, *refresh)), default=None)
        return Choice(
            # Without a live session, an ended one gives the reason of the refusal.
            _newest(access, login) or _first(presented.access, ended, login),
            _newest(refresh, login) or _first(presented.refresh, ended, login),
            _all_genuine(presented.access, access, ended),
            _all_genuine(presented.refresh, refresh, ended),
        )

    async def all_of(self, presented: PresentedCredentials) -> tuple[Choice, list[Identity], list[str]]:
        """Return the cookies to forget, and the identities and refresh tokens of all live sessions among them.

        Forgotten are the cookies that have genuine values only; all of them where they cannot be read.
        """
        identities, genuine = list[Identity](), list[str]()
        for token in presented.access:
            try:
                identities.append(await self._verify(token, "cookie"))
                genuine.append(token)
            except InvalidTokenError as error:
                genuine += [token] if is_genuine(error) else []
        refresh = [token for token in presented.refresh if await self._by_refresh(token, genuine)]
        genuine += refresh
        unreadable = bool(presented.unreadable)
        forgotten = Choice(
            stale_access=unreadable or set(presented.access) <= set(genuine),
            stale_refresh=unreadable or set(presented.refresh) <= set(genuine),
        )
        return forgotten, identities, refresh

    async def is_foreign(self, choice: Choice) -> tuple[bool, bool]:
        """Tell whether the access cookie and the refresh cookie belong to another installation."""
        access = refresh = False
        if choice.access is not None:
            ended: list[str] = []
            access = await self._by_access(choice.access, ended) is None and not ended
        if choice.refresh is not None:
            refresh = await self._session_of(choice.refresh) is None
        return access, refresh

    async def _require_one_user(self, presented: PresentedCredentials) -> None:
        """Refuse an access cookie beside the refresh cookie of another user: another host of the domain set one.

        Cookies of one session need no query.
        """
        if not (presented.access and presented.refresh):
            return
        access = await self._by_access(presented.access[0], [])
        if access is None or presented.refresh[0].partition(".")[0] == access.login[1]:
            return
        refresh = await self._by_refresh(presented.refresh[0], [])
        if refresh is not None and refresh.user_id != access.user_id:
            raise _unusable(TWO_USERS)

    async def _by_access(self, token: str, ended: list[str]) -> _Candidate | None:
        try:
            identity = await self._verify(token, "cookie")
        except InvalidTokenError as error:
            if is_genuine(error):
                ended.append(token)
            return None
        login = (identity.auth_time, identity.session_id)
        return _Candidate(login, identity.expires_at, identity.id, token)

    async def _by_refresh(self, token: str, ended: list[str]) -> _Candidate | None:
        session = await self._session_of(token)
        if session is None:
            return None
        now = self._now()
        idle = session.last_used_at <= now - self._settings.session_idle
        if session.revoked_at is not None or session.expires_at <= now or idle:
            ended.append(token)
            return None
        return _Candidate((session.auth_time, session.id), int(token.split(".")[1]), session.user_id, token)


def _unusable(detail: str) -> BadRequestError:
    """Return the error of cookies that cannot be used."""
    error = BadRequestError(detail)
    error.of_cookies = True
    return error


def is_genuine(error: InvalidTokenError) -> bool:
    """Tell whether a refused token is one of this installation that has ended; a foreign token has the base error."""
    return type(error) is not InvalidTokenError


def _newest(candidates: list[_Candidate], login: tuple[int, str] | None) -> str | None:
    """Return the newest token of a login."""
    same = [item for item in candidates if item.login == login]
    return max(same, key=lambda item: item.age).token if same else None


def _first(tokens: list[str], ended: list[str], login: tuple[int, str] | None) -> str | None:
    """Return the first ended token, unless there is a live login."""
    return next((token for token in tokens if token in ended), None) if login is None else None


def _all_genuine(tokens: list[str], live: list[_Candidate], ended: list[str]) -> bool:
    """Tell whether a cookie has several values, and all of them are of this installation."""
    return len(tokens) > 1 and all(token in ended or any(token == item.token for item in live) for token in tokens)
