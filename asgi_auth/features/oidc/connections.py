"""The requests to one provider: where the browser is sent, and what its code is exchanged for."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard
from urllib.parse import urlencode, urlsplit

import msgspec

from asgi_auth.errors import ProviderUnavailableError
from asgi_auth.feature import Outgoing
from asgi_auth.features.oidc.client_secrets import authentication
from asgi_auth.features.oidc.errors import ProviderRefusedError
from asgi_auth.features.oidc.flows import Flow
from asgi_auth.features.oidc.id_token import Expected, read
from asgi_auth.features.oidc.metadata import KeySource
from asgi_auth.features.oidc.profile import Profile, profile_of
from asgi_auth.features.oidc.providers import OAuthProvider, OpenIDProvider, Provider
from asgi_auth.outgoing import Answer

#: The longest access token, in characters.
MOST = 16384
#: The statuses of refusals (RFC 6749, section 5.2), and the errors of a grant that is void; GitHub has its own.
REFUSALS, ENDS = frozenset({400, 401}), frozenset({"invalid_grant", "bad_refresh_token"})
#: How the server authenticates at a provider of OAuth 2 alone.
METHODS = ("client_secret_post",)
#: The parameters that ask for a login in any case, and for its time (OpenID Connect Core 1.0, section 3.1.2.1).
ANEW = {"prompt": "login", "max_age": "0"}


class Connection(ABC):
    """Speaks with one provider, by the authorization code with PKCE (RFC 9700, section 2.1.1)."""

    #: Whether the provider says when a user logged in.
    tells_auth_time: bool = False

    def __init__(
        self, provider: Provider, outgoing: Outgoing, now: Callable[[], float], *, keeps: bool = False
    ) -> None:
        """Take the provider. `keeps`: its tokens are kept, so a login asks for a refresh token."""
        self._provider = provider
        self._keeps = keeps
        self._outgoing = outgoing
        self._now = now

    @abstractmethod
    async def authorization(self, flow: Flow, redirect_uri: str) -> str:
        """Return the URL that the browser is sent to. Raises ProviderUnavailableError."""

    @abstractmethod
    async def check_issuer(self, issuer: str | None) -> None:
        """Check the issuer that the browser has brought along (RFC 9207). Raises ProviderRefusedError."""

    @abstractmethod
    async def profile(self, flow: Flow, code: str, redirect_uri: str) -> tuple[Profile, Mapping[str, Any]]:
        """Exchange a code, and return who the user is, with the answer that has the tokens.

        Raises ProviderRefusedError and ProviderUnavailableError.
        """

    @abstractmethod
    async def refresh(self, refresh_token: str) -> Mapping[str, Any]:
        """Return the answer with new tokens (RFC 6749, section 6). Raises what `profile` raises."""

    def _url(self, endpoint: str, flow: Flow, redirect_uri: str, more: Mapping[str, str]) -> str:
        provider = self._provider
        is_kept = self._keeps and not flow.begun.renews
        query = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": f"{provider.scope} {provider.offline_scope}".strip() if is_kept else provider.scope,
            "state": flow.state,
            **provider.authorize,
            **(provider.offline if is_kept else {}),
            **more,
        }
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def _exchange(
        self, url: str, flow: Flow, code: str, redirect_uri: str, methods: Sequence[str], *, pkce: bool = True
    ) -> Mapping[str, Any]:
        """Exchange a code for tokens (RFC 6749, section 4.1.3)."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if pkce:
            form["code_verifier"] = flow.verifier
        return await self._tokens(url, form, methods)

    async def _tokens(self, url: str, form: Mapping[str, str], methods: Sequence[str]) -> Mapping[str, Any]:
        """Return the answer of the token endpoint, after the checks of what it must have."""
        provider = self._provider
        headers, fields = authentication(provider.client_id, provider.client_secret, methods, int(self._now()))
        answer = await self._outgoing.post(url, {**form, **fields}, headers)
        if answer.status >= 500:
            raise ProviderUnavailableError(f"{provider.name}: the token endpoint has the status {answer.status}")
        tokens = answer.json() if answer.status == 200 else {}
        # GitHub refuses with the status 200.
        if answer.status != 200 or "error" in tokens or not is_token(tokens.get("access_token")):
            cause = f"{provider.name}: the token endpoint gave no token, with the status {answer.status}"
            error = (tokens or refusal_in(answer)).get("error")
            raise ProviderRefusedError(cause, ends_grant=isinstance(error, str) and error in ENDS)
        return tokens

    async def _ask(self, url: str, access_token: str, more: Mapping[str, str] | None = None) -> bytes:
        headers = {"authorization": f"Bearer {access_token}", **(more or {})}
        answer = await self._outgoing.get(url, headers)
        if answer.status != 200:
            raise ProviderUnavailableError(f"{self._provider.name}: {url} has the status {answer.status}")
        return answer.body


class OpenIDConnection(Connection):
    """Speaks OpenID Connect."""

    def __init__(
        self,
        provider: OpenIDProvider,
        outgoing: Outgoing,
        now: Callable[[], float],
        leeway: int,
        *,
        keeps: bool = False,
    ) -> None:
        """Take the provider, and the leeway of times in seconds."""
        super().__init__(provider, outgoing, now, keeps=keeps)
        self._openid = provider
        self.tells_auth_time: bool = provider.tells_auth_time
        self._leeway = leeway
        self._source = KeySource(provider, outgoing, now)

    async def authorization(self, flow: Flow, redirect_uri: str) -> str:
        """Return the URL, with PKCE and a nonce. For a step-up, the provider is asked to log the user in anew."""
        metadata = await self._source.metadata()
        more = {"nonce": flow.nonce, "code_challenge": flow.challenge, "code_challenge_method": "S256"}
        more |= ANEW if flow.begun.renews else {}
        return self._url(metadata.authorization_endpoint, flow, redirect_uri, more)

    async def check_issuer(self, issuer: str | None) -> None:
        """Compare the issuer where it is there, and require it where the metadata announces it."""
        metadata = await self._source.metadata()
        required = metadata.authorization_response_iss_parameter_supported
        if issuer is None and not required:
            return
        if issuer != self._openid.issuer:
            raise ProviderRefusedError(f"{self._openid.name}: the callback is of another issuer")

    async def profile(self, flow: Flow, code: str, redirect_uri: str) -> tuple[Profile, Mapping[str, Any]]:
        """Exchange the code, verify the ID token, and ask the userinfo endpoint where the token lacks the address."""
        metadata = await self._source.metadata()
        methods = metadata.token_endpoint_auth_methods_supported
        tokens = await self._exchange(metadata.token_endpoint, flow, code, redirect_uri, methods)
        expected = Expected(flow.nonce, tokens["access_token"], self._now(), self._leeway)
        claims = await read(tokens.get("id_token"), self._openid, self._source, expected)
        if flow.begun.renews and "auth_time" not in claims:
            # It was asked for. The next users get no way that ends in a refusal.
            self.tells_auth_time = False
        if "email" not in claims and metadata.userinfo_endpoint:
            claims = {**await self._user(metadata.userinfo_endpoint, tokens["access_token"], claims["sub"]), **claims}
        verified = self._openid.calls_verified(claims)
        return profile_of(claims["iss"], claims, verified=verified), tokens

    async def refresh(self, refresh_token: str) -> Mapping[str, Any]:
        """Return new tokens."""
        metadata = await self._source.metadata()
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self._tokens(metadata.token_endpoint, form, metadata.token_endpoint_auth_methods_supported)

    async def _user(self, url: str, access_token: str, subject: str) -> Mapping[str, Any]:
        """Return the claims of the userinfo endpoint, which must be about the same subject (Core 1.0, 5.3.2)."""
        user: Mapping[str, Any] = decoded(await self._ask(url, access_token), dict[str, Any])
        if user.get("sub") != subject:
            raise ProviderRefusedError(f"{self._openid.name}: the userinfo is of another subject")
        return user


class OAuthConnection(Connection):
    """Speaks OAuth 2 alone; the API of the provider says who the user is."""

    def __init__(
        self, provider: OAuthProvider, outgoing: Outgoing, now: Callable[[], float], *, keeps: bool = False
    ) -> None:
        """Take the provider."""
        super().__init__(provider, outgoing, now, keeps=keeps)
        self._oauth = provider

    async def authorization(self, flow: Flow, redirect_uri: str) -> str:
        """Return the URL."""
        more = {"code_challenge": flow.challenge, "code_challenge_method": "S256"} if self._oauth.pkce else {}
        return self._url(self._oauth.authorize_url, flow, redirect_uri, more)

    async def check_issuer(self, issuer: str | None) -> None:
        """Compare the issuer where it is there."""
        if issuer is not None and issuer != self._oauth.issuer:
            raise ProviderRefusedError(f"{self._oauth.name}: the callback is of another issuer")

    async def profile(self, flow: Flow, code: str, redirect_uri: str) -> tuple[Profile, Mapping[str, Any]]:
        """Exchange the code, and ask the API."""
        provider = self._oauth
        tokens = await self._exchange(provider.token_url, flow, code, redirect_uri, METHODS, pkce=provider.pkce)
        token = tokens["access_token"]
        user = decoded(await self._ask(provider.user_url, token, provider.user_headers), dict[str, Any])
        emails: list[dict[str, Any]] = []
        if provider.emails_url:
            body = await self._ask(provider.emails_url, token, provider.user_headers)
            emails = decoded(body, list[dict[str, Any]])
        found = provider.profile(user, emails)
        if found is None or not provider.fits(user):
            raise ProviderRefusedError(f"{provider.name}: the API names no user that may log in")
        return found, tokens

    async def refresh(self, refresh_token: str) -> Mapping[str, Any]:
        """Return new tokens."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self._tokens(self._oauth.token_url, form, METHODS)


def is_token(value: Any) -> TypeGuard[str]:
    """Tell whether a value is a token that can be sent in a header and in a form."""
    is_text = isinstance(value, str) and 0 < len(value) <= MOST
    return is_text and value.isascii() and value.isprintable() and " " not in value


def refusal_in(answer: Answer) -> Mapping[str, Any]:
    """Return the members of a refusal (RFC 6749, section 5.2); none in an answer of another kind."""
    try:
        return answer.json() if answer.status in REFUSALS else {}
    except ProviderUnavailableError:
        return {}


def decoded(body: bytes, kind: Any) -> Any:
    """Return JSON of a kind. Raises ProviderUnavailableError."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProviderUnavailableError("the answer is not JSON of the right kind") from None
