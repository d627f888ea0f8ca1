"""From a request to an identity: bearer token, else cookies (renewed silently), else what a feature recognises."""

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.types import Scope

from asgi_auth.errors import BadRequestError, InvalidTokenError, TokenExpiredError, UnauthorizedError
from asgi_auth.feature import Feature
from asgi_auth.model.records import TokenPair
from asgi_auth.sessions.identity import ANONYMOUS, Identity, Transport
from asgi_auth.sessions.verifier import make_room
from asgi_auth.web.client import check_origin, client_of
from asgi_auth.web.cookies import Cookies
from asgi_auth.web.credentials import CredentialReader, PresentedCredentials
from asgi_auth.web.responses import SAFE_METHODS

if TYPE_CHECKING:
    from asgi_auth.auth import Auth

Headers = list[tuple[bytes, bytes]]
#: Who it is, and the Set-Cookie headers that the answer must carry because of it. A tuple: this is the hot path.
Recognition = tuple[Identity, Headers]

#: How long a header line may be that is remembered, in bytes.
MAX_LINE = 2048
BEARER: Transport = "bearer"
COOKIE: Transport = "cookie"


class RequestAuthenticator:
    """Recognises requests and websockets for one `Auth`; used by the middleware and by the app alike."""

    def __init__(self, auth: "Auth") -> None:
        """Prepare the cookies' names, and the features that recognise credentials of their own."""
        self._auth = auth
        self.cookies = Cookies(auth.settings)
        self.reader = CredentialReader(self.cookies)
        self._cached = auth.verifier.cached
        self._bearers: dict[bytes, str] = {}
        self._cookies: dict[bytes, str] = {}
        self._features = [item for item in auth.features if type(item).authenticate is not Feature.authenticate]

    def from_cache(self, scope: Scope) -> Identity | None:
        """Tell without waiting, from memory, for a request that shows just what another has shown; else None.

        The hot path: one pass over the headers, one look-up for the line, one for its token.
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

    async def recognise(self, scope: Scope) -> Recognition:
        """Tell who is asking.

        A token that is no good gives nobody, with the reason in `error`. Raises BadRequestError for doubled
        credentials, CrossSiteRequestError for cookies from another site's page, and StorageUnavailableError when a
        token can't be judged now: a good one must not look bad.
        """
        known = self.from_cache(scope)
        return (known, []) if known is not None else await self.examine(scope)

    async def examine(self, scope: Scope) -> Recognition:
        """Tell by a close look, as `recognise` does, where memory doesn't do."""
        shown = self.reader.read(scope)
        identity, cookies = await self._judge(shown, scope)
        if identity.is_authenticated and not cookies:
            self._remember(scope, shown)
        return identity, cookies

    def _remember(self, scope: Scope, shown: PresentedCredentials) -> None:
        """Remember which token stands in a line, if one line shows all: what it is worth is judged at every use."""
        lines = [pair for pair in scope["headers"] if pair[0] in {b"authorization", b"cookie"}]
        # A websocket may show its token elsewhere.
        if scope["type"] != "http" or len(lines) != 1 or len(lines[0][1]) > MAX_LINE:
            return
        name, line = lines[0]
        # One memory for each header: a cookie may read like the line of another header.
        known, token = (self._bearers, shown.bearer) if name == b"authorization" else (self._cookies, shown.access)
        if token:
            make_room(known, self._auth.settings.token_cache)
            known[line] = token

    async def _judge(self, shown: PresentedCredentials, scope: Scope) -> Recognition:
        if shown.bearer is not None:
            return await self._by_bearer(shown), []
        if shown.by_cookie:
            return await self._by_cookies(shown, scope)
        return await self._by_feature(scope), []

    async def _by_feature(self, scope: Scope) -> Identity:
        """Ask the features, which may use the storage; what one refuses as its own is nobody."""
        await self._auth.start()
        for feature in self._features:
            try:
                identity = await feature.authenticate(scope)
            except UnauthorizedError as error:
                return Identity(error=error)
            if identity is not None:
                return identity
        return ANONYMOUS

    async def _by_bearer(self, shown: PresentedCredentials) -> Identity:
        try:
            identity = await self._auth.authenticate(shown.bearer or "")
        except InvalidTokenError as error:
            return Identity(error=error)
        if shown.access is not None:
            await self._refuse_two_users(identity, shown.access)
        return identity

    async def _refuse_two_users(self, identity: Identity, access: str) -> None:
        """One request, one user: a cookie beside the token must speak for the same (RFC 6750, section 2)."""
        try:
            other = await self._auth.authenticate(access, "cookie")
        except InvalidTokenError:
            return
        if other.id != identity.id:
            raise BadRequestError("Token and cookie belong to two users.")

    async def _by_cookies(self, shown: PresentedCredentials, scope: Scope) -> Recognition:
        if scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS:
            check_origin(scope, self._auth.settings)
        error: InvalidTokenError = TokenExpiredError()
        if shown.access is not None:
            try:
                return await self._auth.authenticate(shown.access, "cookie"), []
            except InvalidTokenError as reason:
                error = reason
        if shown.refresh is not None and isinstance(error, TokenExpiredError):
            try:
                return await self._renew(shown.refresh, scope)
            except InvalidTokenError as reason:
                error = reason
        return Identity(error=error), self.cookies.clear()

    async def _renew(self, refresh_token: str, scope: Scope) -> Recognition:
        """Refresh in passing, without a new refresh token: it is not known whether this answer will ever arrive."""
        pair = await self._auth.refresh(refresh_token, client_of(scope, self._auth.settings), rotate=False)
        identity = await self._auth.authenticate(str(pair.access_token), "cookie")
        return identity, self.cookies.set(pair)


def cookie_session(identity: Identity) -> str | None:
    """The session that a browser came with."""
    return identity.session_id if identity.transport == "cookie" and identity.is_authenticated else None


def tokens_of(result: Any) -> TokenPair | None:
    """The tokens that an endpoint has given: as its answer, or in it."""
    pair = result if isinstance(result, TokenPair) else getattr(result, "tokens", None)
    return pair if isinstance(pair, TokenPair) else None


def without_tokens(pair: TokenPair) -> TokenPair:
    """What stands in the body when the tokens stand in cookies (ASVS 3.3.4)."""
    return msgspec.structs.replace(
        pair,
        access_token=msgspec.UNSET,
        refresh_token=msgspec.UNSET,
        token_type="Cookie",
    )
