"""How clients find the server and its resources, and how they register themselves."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from asgi_auth.errors import NotFoundError
from asgi_auth.feature import Line, RootPath, get, post
from asgi_auth.features.authorization_server.answers import RegisteredClient, ResourceMetadata
from asgi_auth.features.authorization_server.base import WELL_KNOWN, AuthorizationServerBase, Parameter
from asgi_auth.features.authorization_server.errors import InvalidClientMetadataError, InvalidRedirectUriError
from asgi_auth.features.authorization_server.granting import GRANT_TYPES

Uris = Annotated[list[Parameter], msgspec.Meta(min_length=1, max_length=100)]


class Discovery(AuthorizationServerBase):
    """The metadata of the server and of its resources, and the registration of clients."""

    announces: ClassVar[bool] = True

    @property
    def root_paths(self) -> Mapping[str, RootPath]:
        """The path of the metadata of each resource (RFC 9728, 3.1); of the only one, also the path alone."""
        found = {
            urlsplit(each.served.metadata_url).path: RootPath("resource_metadata", {"resource": path})
            for path, each in self._by_path.items()
        }
        if len(found) == 1:
            found[WELL_KNOWN] = next(iter(found.values()))
        return found

    def metadata(self, url_of: Callable[[str], str | None]) -> Mapping[str, Any]:
        """Announce the endpoints (RFC 8414, section 2)."""
        secret_ways = ["client_secret_basic", "client_secret_post"] if self._clients.has_secrets else []
        return {
            "authorization_endpoint": url_of("answer_client"),
            "token_endpoint": url_of("client_token"),
            "registration_endpoint": url_of("register_client") if self._registration else None,
            "scopes_supported": list(dict.fromkeys(name for item in self._configured.values() for name in item.scopes)),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": sorted(GRANT_TYPES),
            "token_endpoint_auth_methods_supported": ["none", *secret_ways],
            "code_challenge_methods_supported": ["S256"],
            "client_id_metadata_document_supported": bool(self._reads),
            "authorization_response_iss_parameter_supported": True,
        }

    @post(
        "/oauth/register",
        status=201,
        oauth2=True,
        reads_json=True,
        any_origin=True,
        limits="20/h/ip",
        errors=(InvalidRedirectUriError, InvalidClientMetadataError, NotFoundError),
    )
    async def register_client(self, *, redirect_uris: Uris, client_name: Parameter = "") -> RegisteredClient:
        """Register a client (RFC 7591). Nothing is stored: equal metadata gets the same id."""
        if not self._registration:
            raise NotFoundError
        client = self._clients.register(client_name, redirect_uris)
        return RegisteredClient(client_id=client.id, client_name=client.name, redirect_uris=redirect_uris)

    @get("/oauth/resource", cacheable=True, max_age=300, any_origin=True, errors=(NotFoundError,))
    async def resource_metadata(self, *, resource: Line = "") -> ResourceMetadata:
        """Return the metadata of a protected resource, by its path (RFC 9728)."""
        if (known := self._by_path.get(resource)) is None:
            raise NotFoundError
        return ResourceMetadata(
            resource=known.served.url,
            resource_name=known.configured.name,
            authorization_servers=[known.served.issuer],
            scopes_supported=list(known.configured.scopes),
        )
