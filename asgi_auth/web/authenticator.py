"""From a request to an identity: bearer token, else cookies (renewed silently), else a feature's credentials."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from starlette.types import Scope

from asgi_auth.errors import BadRequestError, InvalidTokenError, TokenRevokedError, UnauthorizedError
from asgi_auth.feature.base import BaseFeature
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Client, Session
from asgi_auth.sessions.identity import ANONYMOUS, Identity, Transport
from asgi_auth.sessions.resources import ProtectedResource
from asgi_auth.sessions.verifier import TokenVerifier, make_room
from asgi_auth.settings import Settings
from asgi_auth.web.client import client_of
from asgi_auth.web.cookie_choice import Choice, CookieChoice, is_genuine
from asgi_auth.web.cookies import Cookies
from asgi_auth.web.credentials import CredentialReader, PresentedCredentials
from asgi_auth.web.csrf import SAFE_METHODS, check_origin
from asgi_auth.web.headers import headers

Headers = list[tuple[bytes, bytes]]
#: The identity, and the Set-Cookie headers that the response must carry because of it. A tuple: this is the hot path.
Authentication = tuple[Identity, Headers]

#: The longest header line that is cached, in bytes.
MAX_LINE = 2048
BEARER: Transport = "bearer"
COOKIE: Transport = "cookie"


class Refresh(Protocol):
    """The rotation of refresh tokens, as `Auth.refresh` does it."""

    async def __call__(self, refresh_token: str, client: Client, *, rotate: bool) -> TokenPair:
        """Exchange a refresh token."""


class RequestAuthenticator:
    """Authenticates requests and websockets for one `Auth`; used by the middleware and by the app."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        settings: Settings,
        verifier: TokenVerifier,
        features: Sequence[BaseFeature],
        start: Callable[[], Awaitable[None]],
        refresh: Refresh,
        session_of: Callable[[str], Awaitable[Session | None]],
        now: Callable[[], float],
    ) -> None:
        """Take the verifier of access tokens, and the features, some of which authenticate other credentials."""
        self.cookies: Cookies = Cookies(settings)
        self.reader: CredentialReader = CredentialReader(self.cookies)
        self.choice: CookieChoice = CookieChoice(settings, verifier.verify, session_of, now)
        self._settings = settings
        self._verify = verifier.verify
        self._verify_issued = verifier.verify_issued
        self._cached = verifier.cached
        self._cached_client = verifier.cached_client
        self._verify_client = verifier.verify_client
        self._features = [feature for feature in features if feature.overrides("authenticate")]
        self._start = start
        self._refresh = refresh
        self._bearers: dict[bytes, str] = {}
        self._cookies: dict[bytes, str] = {}

    def from_cache(self, scope: Scope) -> Identity | None:
        """Return the identity of a request whose credentials are cached; None for all others.

        Fast path: it needs no await, one pass over the headers, one lookup for the line and one for its token.
        """
        line = None
        lines, transport = self._bearers, BEARER
        for name, value in scope["headers"]:
            if name == b"authorization":
                if line is not None:
                    return None
                line = value
            elif name == b"cookie":
                if line is not None:
                    return None
                line, lines, transport = value, self._cookies, COOKIE
        if scope["type"] != "http":
            return None
        if line is None:
            return ANONYMOUS if not self._features else None
        if transport == COOKIE and scope["method"] not in SAFE_METHODS:
            return None
        return self._cached(lines.get(line, ""), transport)

    def client_from_cache(self, scope: Scope, resource: ProtectedResource) -> Identity | None:
        """Return the identity of the cached token of a client for a resource; None for all other requests."""
        lines = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(lines) != 1 or scope["type"] != "http":
            return None
        return self._cached_client(self._bearers.get(lines[0], ""), resource)

    async def authenticate_client(self, scope: Scope, resource: ProtectedResource) -> Authentication:
        """Return the identity of a request for a resource: that of the client whose token it has.

        Tokens and cookies of the user count only where the resource takes them. Raises what `authenticate` raises.
        """
        presented = self.reader.read(scope)
        await self._start()
        try:
            identity = await self._verify_client(presented.bearer or "", resource)
        except InvalidTokenError as error:
            if resource.own:
                return await self.authenticate(scope)
            return Identity(error=error if presented.bearer is not None else None), []
        self._cache(scope, identity, presented.bearer or "")
        return identity, []

    async def authenticate(self, scope: Scope) -> Authentication:
        """Return the identity of a request; an invalid token gives an anonymous one, with the reason in `error`.

        The `error` is a BadRequestError when the cookies of two users are presented: pages that need no login work.
        Raises BadRequestError for repeated bearer tokens, CrossSiteRequestError for cookies from another site's page,
        and StorageUnavailableError when a token cannot be verified: a valid token must not look invalid.
        """
        presented = self.reader.read(scope)
        await self._start()
        if presented.bearer is not None:
            identity, cookies = await self._by_bearer(presented), Headers()
            self._cache(scope, identity, presented.bearer)
        elif presented.by_cookie or presented.unreadable:
            identity, cookies = await self._by_cookies(presented, scope)
        else:
            return await self._by_feature(scope), []
        if self._features and type(identity.error) is InvalidTokenError:
            # Foreign cookies hide no credentials of a feature, and its token may be a bearer token.
            found = await self._by_feature(scope)
            for access in presented.access if found.is_authenticated else ():
                await self._require_same_user(found, access)
            identity = found if found is not ANONYMOUS else identity
        return identity, cookies

    def _cache(self, scope: Scope, identity: Identity, token: str) -> None:
        """Cache the token of a header line, if one line has all credentials. Each use verifies the token again."""
        lines = [pair for pair in scope["headers"] if pair[0] in {b"authorization", b"cookie"}]
        # A websocket may carry its token as a subprotocol.
        if scope["type"] != "http" or len(lines) != 1 or len(lines[0][1]) > MAX_LINE or not identity.is_authenticated:
            return
        name, line = lines[0]
        # One cache for each header: a Cookie line may equal an Authorization line.
        cached = self._bearers if name == b"authorization" else self._cookies
        make_room(cached, self._settings.token_cache)
        cached[line] = token

    async def _by_feature(self, scope: Scope) -> Identity:
        """Authenticate by the features. Credentials that a feature rejects give an anonymous identity."""
        for feature in self._features:
            try:
                identity = await feature.authenticate(scope)
            except UnauthorizedError as error:
                return Identity(error=error)
            if identity is not None:
                return identity
        return ANONYMOUS

    async def _by_bearer(self, presented: PresentedCredentials) -> Identity:
        try:
            identity = await self._verify(presented.bearer or "", BEARER)
        except InvalidTokenError as error:
            return Identity(error=error)
        for access in presented.access:
            await self._require_same_user(identity, access)
        return identity

    async def _require_same_user(self, identity: Identity, access: str) -> None:
        """Refuse a cookie of another user beside the bearer token (RFC 6750, section 2)."""
        try:
            other = await self._verify(access, COOKIE)
        except InvalidTokenError:
            return
        if other.id != identity.id:
            raise BadRequestError("The bearer token and the cookie belong to different users.")

    async def _by_cookies(self, presented: PresentedCredentials, scope: Scope) -> Authentication:
        if scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS:
            check_origin(scope, self._settings)
        try:
            choice = await self.choice.choose(presented)
        except BadRequestError as error:
            return Identity(error=error), []
        identity, cookies = await self._by_choice(choice, scope)
        if not choice.stale:
            return identity, cookies
        if identity.is_authenticated and not cookies and choice.refresh is not None:
            # Set anew before others are deleted: the chosen cookies may be among those that are deleted.
            identity, cookies = await self._renew(choice.refresh, scope)
        return identity, self._clear_elsewhere(choice, scope) + cookies

    async def _by_choice(self, choice: Choice, scope: Scope) -> Authentication:
        """Try the access cookie, and the refresh cookie whatever is wrong with the access cookie.

        Only cookies of this installation are deleted: another one may use the same names (RFC 6265, section 8.6).
        """
        reasons: dict[str, InvalidTokenError] = {}
        if choice.access is not None:
            try:
                identity = await self._verify(choice.access, COOKIE)
            except TokenRevokedError as reason:
                if reason.of_actor:
                    return Identity(error=reason), []
                reasons[self.cookies.access] = reason
            except InvalidTokenError as reason:
                reasons[self.cookies.access] = reason
            else:
                self._cache(scope, identity, choice.access)
                return identity, []
        if choice.refresh is not None:
            try:
                return await self._renew(choice.refresh, scope)
            except InvalidTokenError as reason:
                reasons[self.cookies.refresh] = reason
        genuine = [reason for reason in reasons.values() if is_genuine(reason)]
        foreign = [name for name, reason in reasons.items() if not is_genuine(reason)]
        error = (genuine or [*reasons.values(), InvalidTokenError()])[-1 if genuine else 0]
        return Identity(error=error), self.cookies.clear(keep=foreign) if genuine else []

    async def _renew(self, refresh_token: str, scope: Scope) -> Authentication:
        """Refresh silently, and keep the refresh token: this response may never arrive."""
        pair = await self._refresh(refresh_token, client_of(scope, self._settings), rotate=False)
        return await self._verify_issued(pair.access_token, COOKIE), self.cookies.set(pair)

    async def forget(self, choice: Choice, scope: Scope) -> Headers:
        """Return the headers that delete the cookies of an ended session, but none of another installation."""
        names = (self.cookies.access, self.cookies.refresh)
        foreign = await self.choice.is_foreign(choice)
        keep = [name for name, is_foreign in zip(names, foreign, strict=True) if is_foreign]
        return self.cookies.clear(keep) + self._clear_elsewhere(choice, scope)

    def forget_all(self, choice: Choice, scope: Scope) -> Headers:
        """Return the headers that delete the cookies that are stale, wherever they were set."""
        stale = {self.cookies.access: choice.stale_access, self.cookies.refresh: choice.stale_refresh}
        return self.cookies.clear([name for name in stale if not stale[name]]) + self._clear_elsewhere(choice, scope)

    def _clear_elsewhere(self, choice: Choice, scope: Scope) -> Headers:
        """Return the headers that delete stale cookies of other domains and paths."""
        stale = {self.cookies.access: choice.stale_access, self.cookies.refresh: choice.stale_refresh}
        host = next(iter(headers(scope, b"host")), "")
        return self.cookies.clear_elsewhere([name for name in stale if stale[name]], host, scope["path"])
