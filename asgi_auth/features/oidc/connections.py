"""The requests to one provider: where the browser is sent, and what its code is exchanged for."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any
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

#: The longest access token, in characters.
MOST = 16384
#: The parameters that ask for a login in any case, and for its time (OpenID Connect Core 1.0, section 3.1.2.1).
ANEW = {"prompt": "login", "max_age": "0"}


class Connection(ABC):
    """Speaks with one provider, by the authorization code with PKCE (RFC 9700, section 2.1.1)."""

    #: Whether the provider says when a user logged in.
    tells_auth_time: bool = False

    def __init__(self, provider: Provider, outgoing: Outgoing, now: Callable[[], float]) -> None:
        """Take the provider."""
        self._provider = provider
        self._outgoing = outgoing
        self._now = now

    @abstractmethod
    async def authorization(self, flow: Flow, redirect_uri: str) -> str:
        """Return the URL that the browser is sent to. Raises ProviderUnavailableError."""

    @abstractmethod
    async def check_issuer(self, issuer: str | None) -> None:
        """Check the issuer that the browser has brought along (RFC 9207). Raises ProviderRefusedError."""

    @abstractmethod
    async def profile(self, flow: Flow, code: str, redirect_uri: str) -> Profile:
        """Exchange a code, and return who the user is. Raises ProviderRefusedError and ProviderUnavailableError."""

    def _url(self, endpoint: str, flow: Flow, redirect_uri: str, more: Mapping[str, str]) -> str:
        query = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._provider.scope,
            "state": flow.state,
            **self._provider.authorize,
            **more,
        }
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def _exchange(
        self, url: str, flow: Flow, code: str, redirect_uri: str, methods: Sequence[str], *, pkce: bool = True
    ) -> Mapping[str, Any]:
        """Exchange a code for tokens (RFC 6749, section 4.1.3)."""
        provider = self._provider
        headers, fields = authentication(provider.client_id, provider.client_secret, methods, int(self._now()))
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, **fields}
        if pkce:
            form["code_verifier"] = flow.verifier
        answer = await self._outgoing.post(url, form, headers)
        if answer.status >= 500:
            raise ProviderUnavailableError(f"{provider.name}: the token endpoint has the status {answer.status}")
        if answer.status != 200:
            raise ProviderRefusedError(f"{provider.name}: the code was refused with the status {answer.status}")
        tokens = answer.json()
        access_token = tokens.get("access_token")
        # GitHub refuses with the status 200.
        if "error" in tokens or not isinstance(access_token, str) or not 0 < len(access_token) <= MOST:
            raise ProviderRefusedError(f"{provider.name}: the code was refused")
        if not access_token.isascii() or not access_token.isprintable() or " " in access_token:
            raise ProviderRefusedError(f"{provider.name}: the access token cannot be sent")
        return tokens

    async def _ask(self, url: str, access_token: str, more: Mapping[str, str] | None = None) -> bytes:
        headers = {"authorization": f"Bearer {access_token}", **(more or {})}
        answer = await self._outgoing.get(url, headers)
        if answer.status != 200:
            raise ProviderUnavailableError(f"{self._provider.name}: {url} has the status {answer.status}")
        return answer.body


class OpenIDConnection(Connection):
    """Speaks OpenID Connect."""

    def __init__(self, provider: OpenIDProvider, outgoing: Outgoing, now: Callable[[], float], leeway: int) -> None:
        """Take the provider, and the leeway of times in seconds."""
        super().__init__(provider, outgoing, now)
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

    async def profile(self, flow: Flow, code: str, redirect_uri: str) -> Profile:
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
        return profile_of(claims["iss"], claims, verified=verified)

    async def _user(self, url: str, access_token: str, subject: str) -> Mapping[str, Any]:
        """Return the claims of the userinfo endpoint, which must be about the same subject (Core 1.0, 5.3.2)."""
        user: Mapping[str, Any] = decoded(await self._ask(url, access_token), dict[str, Any])
        if user.get("sub") != subject:
            raise ProviderRefusedError(f"{self._openid.name}: the userinfo is of another subject")
        return user


class OAuthConnection(Connection):
    """Speaks OAuth 2 alone; the API of the provider says who the user is."""

    def __init__(self, provider: OAuthProvider, outgoing: Outgoing, now: Callable[[], float]) -> None:
        """Take the provider."""
        super().__init__(provider, outgoing, now)
        self._oauth = provider

    async def authorization(self, flow: Flow, redirect_uri: str) -> str:
        """Return the URL."""
        more = {"code_challenge": flow.challenge, "code_challenge_method": "S256"} if self._oauth.pkce else {}
        return self._url(self._oauth.authorize_url, flow, redirect_uri, more)

    async def check_issuer(self, issuer: str | None) -> None:
        """Compare the issuer where it is there."""
        if issuer is not None and issuer != self._oauth.issuer:
            raise ProviderRefusedError(f"{self._oauth.name}: the callback is of another issuer")

    async def profile(self, flow: Flow, code: str, redirect_uri: str) -> Profile:
        """Exchange the code, and ask the API."""
        provider = self._oauth
        methods = ("client_secret_post",)
        tokens = await self._exchange(provider.token_url, flow, code, redirect_uri, methods, pkce=provider.pkce)
        token = tokens["access_token"]
        user = decoded(await self._ask(provider.user_url, token, provider.user_headers), dict[str, Any])
        emails: list[dict[str, Any]] = []
        if provider.emails_url:
            body = await self._ask(provider.emails_url, token, provider.user_headers)
            emails = decoded(body, list[dict[str, Any]])
        found = provider.profile(user, emails)
        if found is None or not provider.fits(user):
            raise ProviderRefusedError(f"{provider.name}: the API names no user that may log in")
        return found


def decoded(body: bytes, kind: Any) -> Any:
    """Return JSON of a kind. Raises ProviderUnavailableError."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProviderUnavailableError("the answer is not JSON of the right kind") from None
