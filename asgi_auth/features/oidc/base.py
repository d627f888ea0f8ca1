"""What all endpoints of logins by providers share: the settings, and the connections."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from asgi_auth.auth import Auth
from asgi_auth.errors import BadRequestError, NotFoundError
from asgi_auth.feature import Feature, Outgoing
from asgi_auth.features.oidc.answers import ProviderInfo
from asgi_auth.features.oidc.connections import Connection, OAuthConnection, OpenIDConnection
from asgi_auth.features.oidc.flows import Flow, Flows
from asgi_auth.features.oidc.keeping import KeptTokens
from asgi_auth.features.oidc.providers import OAuthProvider, OpenIDProvider, Provider
from asgi_auth.features.oidc.signing_in import SigningIn
from asgi_auth.sources.kinds import checks_options

LIMITS = "30/m/ip, 300/h/ip"
#: The name of a page as a target, with values: the pages know which there are.
PAGE = re.compile(r"[a-z_]{1,64}(\?[!-~]*)?")


class OIDCBase(Feature):
    """The settings of logins by providers."""

    requires: Mapping[str, str] = {"joserfc": "oidc", "httpx2": "oidc"}
    room: ClassVar[Path | None] = Path(__file__).parent

    @checks_options
    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        sign_up: bool = True,
        link: str = "verified",
        keep_tokens: bool = False,
        outgoing: Outgoing | None = None,
    ) -> None:
        """Take providers: `OpenIDProvider` or `OAuthProvider`. `outgoing` makes the requests to them.

        Raises ValueError; `attach` raises TypeError for providers of other classes.
        """
        names = [provider.name for provider in providers]
        if not names or len(set(names)) != len(names):
            raise ValueError("OIDC needs providers, each with a name of its own")
        if link not in {"verified", "never"}:
            raise ValueError('link is "verified" or "never"')
        self._providers = {provider.name: provider for provider in providers}
        self._sign_up = sign_up
        self._links = link == "verified"
        self._keeps = keep_tokens
        self._outgoing = outgoing

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`. Raises ValueError without `base_url`, and for a provider that no request may go to."""
        super().attach(auth)
        if auth.settings.base_url is None:
            raise ValueError("OIDC needs Settings.base_url: providers send browsers back to it")
        self._check_names(auth)
        self._requests = self._outgoing or Outgoing(development=auth.settings.development)
        self._flows = Flows(auth.keys, auth.storage, auth.now)
        self._connections = {name: self._connect(provider) for name, provider in self._providers.items()}
        self._kept = KeptTokens(auth, self._connections, keeps=self._keeps)
        self._signing_in = SigningIn(auth, self._kept, sign_up=self._sign_up, link=self._links)

    def _check_names(self, auth: Auth) -> None:
        """Raise ValueError for a provider with the name of another way to prove a login again."""
        paths = {endpoint.path for feature in auth.features for endpoint in feature.endpoints}
        if taken := [name for name in self._providers if f"/reauthenticate/{name}" in paths]:
            raise ValueError(f"a provider cannot have the name {taken[0]!r}: it is another way to prove a login again")

    async def close(self) -> None:
        """Close the connections to providers."""
        await self._requests.close()

    def _connect(self, provider: Provider) -> Connection:
        auth = self.auth
        if isinstance(provider, OpenIDProvider):
            self._requests.check(provider.metadata_url)
            return OpenIDConnection(provider, self._requests, auth.now, auth.settings.leeway, keeps=self._keeps)
        if not isinstance(provider, OAuthProvider):
            raise TypeError("a provider is an OpenIDProvider or an OAuthProvider")
        for url in (provider.authorize_url, provider.token_url, provider.user_url, provider.emails_url):
            _ = url and self._requests.check(url)
        return OAuthConnection(provider, self._requests, auth.now, keeps=self._keeps)

    def _connection(self, provider: str) -> Connection:
        found = self._connections.get(provider)
        if found is None:
            raise NotFoundError
        return found

    async def _way_to(self, provider: str, flow: Flow) -> str:
        """Return the URL at the provider that the browser is sent to."""
        return await self._connection(provider).authorization(flow, self._redirect_uri(provider))

    def _check_target(self, target: str) -> None:
        """Raise BadRequestError unless a login may go on at a target: a path, an allowed URL, or a page."""
        if target and not self.auth.page_urls.allows(target) and PAGE.fullmatch(target) is None:
            raise BadRequestError("The target of the redirect is not allowed.")

    def _shown(self) -> list[ProviderInfo]:
        return [ProviderInfo(name=each.name, title=each.shown) for each in self._providers.values()]

    def _callback(self, provider: str) -> str:
        return f"/oidc/{provider}/callback"

    def _redirect_uri(self, provider: str) -> str:
        """Return the URL that the provider sends the browser back to: one for each provider (RFC 9700, 4.4.2)."""
        path = self.auth.page_urls.below_mount(self._callback(provider))
        return f"{(self.auth.settings.base_url or '').rstrip('/')}{path}"
