"""From a request to an identity: bearer token, else cookies (renewed silently), else what a feature recognises."""

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.types import Scope

from asgi_auth.cookies import Cookies
from asgi_auth.credentials import CredentialReader, Shown
from asgi_auth.errors import BadRequestError, InvalidTokenError, TokenExpiredError, UnauthorizedError
from asgi_auth.feature import Feature
from asgi_auth.http import SAFE_METHODS
from asgi_auth.identity import ANONYMOUS, Identity
from asgi_auth.origins import check_origin, client_of
from asgi_auth.records import TokenPair

if TYPE_CHECKING:
    from asgi_auth.auth import Auth

Headers = list[tuple[bytes, bytes]]
#: Who it is, and the Set-Cookie headers that the answer must carry because of it. A tuple: this is the hot path.
Recognition = tuple[Identity, Headers]


class Recogniser:
    """Recognises requests and websockets for one `Auth`; used by the middleware and by the app alike."""

    def __init__(self, auth: "Auth") -> None:
        """Prepare the cookies' names, and the features that recognise credentials of their own."""
        self._auth = auth
        self.cookies = Cookies(auth.settings)
        self.reader = CredentialReader(self.cookies)
        self._recall = auth.identifier.recall
        self._features = [item for item in auth.features if type(item).identify is not Feature.identify]

    def recall(self, shown: Shown, scope: Scope) -> Identity | None:
        """Tell without waiting, from memory; None when it takes more."""
        if shown.bearer is not None:
            return self._recall(shown.bearer, "bearer") if shown.access is None else None
        if shown.access is not None:
            is_safe = scope["type"] == "http" and scope["method"] in SAFE_METHODS
            return self._recall(shown.access, "cookie") if is_safe else None
        return ANONYMOUS if shown.refresh is None and not self._features else None

    async def recognise(self, scope: Scope) -> Recognition:
        """Tell who is asking.

        A token that is no good gives nobody, with the reason in `error`. Raises BadRequestError for doubled
        credentials, CrossSiteRequestError for cookies from another site's page, and StorageUnavailableError when a
        token can't be judged now: a good one must not look bad.
        """
        shown = self.reader.read(scope)
        known = self.recall(shown, scope)
        return (known, []) if known is not None else await self.examine(shown, scope)

    async def examine(self, shown: Shown, scope: Scope) -> Recognition:
        """Tell by what was shown, as `recognise` does, where memory doesn't do."""
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
                identity = await feature.identify(scope)
            except UnauthorizedError as error:
                return Identity(error=error)
            if identity is not None:
                return identity
        return ANONYMOUS

    async def _by_bearer(self, shown: Shown) -> Identity:
        try:
            identity = await self._auth.identify(shown.bearer or "")
        except InvalidTokenError as error:
            return Identity(error=error)
        if shown.access is not None:
            await self._refuse_two_users(identity, shown.access)
        return identity

    async def _refuse_two_users(self, identity: Identity, access: str) -> None:
        """One request, one user: a cookie beside the token must speak for the same (RFC 6750, section 2)."""
        try:
            other = await self._auth.identify(access, "cookie")
        except InvalidTokenError:
            return
        if other.id != identity.id:
            raise BadRequestError("Token and cookie belong to two users.")

    async def _by_cookies(self, shown: Shown, scope: Scope) -> Recognition:
        if scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS:
            check_origin(scope, self._auth.settings)
        error: InvalidTokenError = TokenExpiredError()
        if shown.access is not None:
            try:
                return await self._auth.identify(shown.access, "cookie"), []
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
        identity = await self._auth.identify(str(pair.access_token), "cookie")
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
