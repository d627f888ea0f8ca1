"""What other programs read to find the endpoints and the public keys of this server (RFC 8414, RFC 7517)."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from asgi_auth.crypto.jwk import public_set
from asgi_auth.feature import Feature, RootPath, Route, Served, get

#: Seconds that others may keep the metadata and the keys.
MAX_AGE = 300
WELL_KNOWN = "/.well-known/oauth-authorization-server"


class ServerMetadata(Feature):
    """Serves the metadata of the server and the public signing keys.

    Each feature adds what it serves. `Auth` adds this feature when another one announces its endpoints. The issuer is
    the public URL of the mount, never what a request says.
    """

    def attach(self, auth: Any) -> None:
        """Join an `Auth`. Raises ValueError without a `base_url`."""
        super().attach(auth)
        if auth.settings.mount_url is None:
            raise ValueError("ServerMetadata needs base_url: the issuer is base_url and mount")
        auth.page_urls.announce()

    @property
    def issuer(self) -> str:
        """The URL that names this server (RFC 8414, section 2)."""
        return self.auth.settings.mount_url or ""

    @property
    def root_paths(self) -> Mapping[str, RootPath]:
        """The path of the metadata, with that of the issuer behind it (RFC 8414, section 3.1)."""
        path = urlsplit(self.issuer).path
        return {f"{WELL_KNOWN}{path}": RootPath("server_metadata")}

    @get(WELL_KNOWN, cacheable=True, max_age=MAX_AGE, any_origin=True)
    async def server_metadata(self, *, served: Served | None = None) -> dict[str, Any]:
        """Return the metadata of the server (RFC 8414)."""
        url_of = (served or self._all_served()).url_of
        found: dict[str, Any] = {"issuer": self.issuer, "response_types_supported": []}
        for feature in self.auth.features:
            for name, value in feature.metadata(url_of).items():
                if isinstance(value, list | tuple):
                    found[name] = list(dict.fromkeys([*found.get(name, ()), *value]))
                elif value is not None and found.setdefault(name, value) != value:
                    raise ValueError(f"two features announce another {name}")
        return found

    @get("/.well-known/jwks.json", cacheable=True, max_age=MAX_AGE, any_origin=True)
    async def jwks(self) -> dict[str, Any]:
        """Return the public keys that verify access tokens (RFC 7517)."""
        return public_set(self.auth.keys.signing)

    def metadata(self, url_of: Callable[[str], str | None]) -> Mapping[str, Any]:
        """Announce the keys, if other services can verify tokens by them."""
        return {"jwks_uri": url_of("jwks") if public_set(self.auth.keys.signing)["keys"] else None}

    def _all_served(self) -> Served:
        """Return all endpoints, for a call in process, which knows no app."""
        routes = [(item.path, Route(feature, item)) for feature in self.auth.features for item in feature.endpoints]
        return Served(routes, self.issuer)
