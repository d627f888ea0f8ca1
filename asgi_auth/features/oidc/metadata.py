"""What a provider says of itself, and its keys: fetched by its issuer, and kept for an hour."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from asgi_auth.errors import ProviderUnavailableError
from asgi_auth.feature import Outgoing
from asgi_auth.features.oidc.providers import OpenIDProvider

#: Seconds for which metadata and keys are kept, and the seconds between two fetches for an unknown key.
KEPT, COOLDOWN = 3600, 60


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """The members of the metadata that a login needs (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class KeySource:
    """The metadata and the keys of one provider. A fetch that fails leaves the old ones in place."""

    def __init__(self, provider: OpenIDProvider, outgoing: Outgoing, now: Callable[[], float]) -> None:
        """Take the provider; nothing is fetched before the first login."""
        self._provider = provider
        self._outgoing = outgoing
        self._now = now
        self._metadata: Metadata | None = None
        self._metadata_at = 0.0
        self._keys: Sequence[Mapping[str, Any]] | None = None
        self._keys_at = 0.0
        self._searched_at = 0.0

    async def metadata(self) -> Metadata:
        """Return the metadata. Raises ProviderUnavailableError while there is none."""
        now = self._now()
        known = self._metadata
        if known is not None and 0 <= now - self._metadata_at < KEPT:
            return known
        # Before the fetch: while a provider is away, one call a minute asks it; the others go on with the old.
        self._metadata_at = now - KEPT + COOLDOWN
        try:
            fetched = await self._fetch_metadata()
        except ProviderUnavailableError:
            if known is None:
                raise
            return known
        self._metadata, self._metadata_at = fetched, now
        return fetched

    async def keys(self, kid: str | None) -> Sequence[Mapping[str, Any]]:
        """Return the keys of the provider; fetched anew for an unknown `kid`, once a minute at most.

        Raises ProviderUnavailableError while there are none.
        """
        now, known = self._now(), self._keys
        if known is None or not 0 <= now - self._keys_at < KEPT:
            return await self._newest_keys()
        if kid is None or any(key.get("kid") == kid for key in known) or 0 <= now - self._searched_at < COOLDOWN:
            return known
        found = await self._newest_keys()
        # After the fetch: of the logins with a new key that come at the same time, each finds it.
        self._searched_at = now
        return found

    async def _newest_keys(self) -> Sequence[Mapping[str, Any]]:
        known = self._keys
        self._keys_at = self._now()
        try:
            metadata = await self.metadata()
            self._keys = await self._fetch_keys(metadata.jwks_uri)
        except ProviderUnavailableError:
            if known is None:
                raise
            return known
        return self._keys

    async def _fetch_metadata(self) -> Metadata:
        answer = await self._outgoing.get(self._provider.metadata_url)
        if answer.status != 200:
            raise ProviderUnavailableError(f"{self._provider.name}: the metadata has the status {answer.status}")
        try:
            found = msgspec.convert(answer.json(), Metadata)
            needed = [found.authorization_endpoint, found.token_endpoint, found.jwks_uri]
            for url in [*needed, found.userinfo_endpoint] if found.userinfo_endpoint else needed:
                self._outgoing.check(url)
        except (msgspec.ValidationError, ValueError) as error:
            raise ProviderUnavailableError(f"{self._provider.name}: the metadata cannot be used: {error}") from None
        if found.issuer != self._provider.issuer:
            # Discovery 1.0, section 4.3: another issuer could be believed for this one.
            raise ProviderUnavailableError(f"{self._provider.name}: the metadata is of {found.issuer!r}")
        return found

    async def _fetch_keys(self, url: str) -> Sequence[Mapping[str, Any]]:
        answer = await self._outgoing.get(url)
        keys = answer.json().get("keys") if answer.status == 200 else None
        if not isinstance(keys, list):
            raise ProviderUnavailableError(f"{self._provider.name}: there are no keys at {url}")
        return [key for key in keys if isinstance(key, dict)]
