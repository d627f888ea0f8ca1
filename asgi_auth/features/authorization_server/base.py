"""What all endpoints of the authorization server share: the settings and the collaborators."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

import msgspec

from asgi_auth.auth import Auth
from asgi_auth.feature import Feature, Outgoing
from asgi_auth.features.authorization_server.clients import PREFIX, Clients
from asgi_auth.features.authorization_server.codes import Codes
from asgi_auth.features.authorization_server.consent import Tickets
from asgi_auth.features.authorization_server.documents import Documents
from asgi_auth.features.authorization_server.grants import Grants
from asgi_auth.features.authorization_server.requests import Known, Requests
from asgi_auth.features.authorization_server.resource import OAuthClient, Resource
from asgi_auth.features.authorization_server.tokens import Issuing
from asgi_auth.sessions.resources import ProtectedResource
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.numbers import check_whole

WELL_KNOWN = "/.well-known/oauth-protected-resource"
#: A parameter of a request.
Parameter = Annotated[str, msgspec.Meta(max_length=8192)]


class AuthorizationServerBase(Feature):
    """The settings of the authorization server."""

    room: ClassVar[Path | None] = Path(__file__).parent

    @checks_options
    def __init__(
        self,
        resources: Mapping[str, Resource],
        *,
        clients: Mapping[str, OAuthClient] | None = None,
        metadata_documents: bool | Collection[str] = True,
        registration: bool = True,
        access_ttl: int = 3600,
        refresh_grace: int = 60,
        most: int = 10,
        outgoing: Outgoing | None = None,
    ) -> None:
        """Take the settings; `outgoing` reads the documents.

        Raises ValueError for a path that is none, for the id of a client that is taken, and for a number that is not
        whole, or out of bounds.
        """
        self._configured = dict(resources)
        self._known_clients = dict(clients or {})
        if not self._configured or any(not _is_path(path) for path in self._configured):
            raise ValueError("resources are named by their paths, such as /mcp")
        if any(not each.isascii() or not each or each.startswith(PREFIX) for each in self._known_clients):
            raise ValueError(f"the id of a client is ASCII, and does not begin with {PREFIX}")
        check_whole(access_ttl=access_ttl, most=most)
        check_whole(0, 300, refresh_grace=refresh_grace)
        self._registration = registration
        self._reads = metadata_documents
        self._outgoing = outgoing
        self.requires: Mapping[str, str] = {"httpx2": "http"} if metadata_documents else {}
        self._access_ttl = access_ttl
        self._refresh_grace = refresh_grace
        self._most = most

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`. Raises ValueError without pages and `base_url`, and for a resource with the mount in it."""
        super().attach(auth)
        issuer = auth.settings.mount_url
        if issuer is None or not auth.shows_pages:
            raise ValueError("AuthorizationServer needs Settings.base_url and the feature Pages")
        known = [Known(item, self._served(auth, path, item, issuer)) for path, item in self._configured.items()]
        for each in known:
            if (
                f"{auth.settings.mount}/".startswith(f"{each.served.path}/")
                or each.served.url == auth.settings.audience
            ):
                raise ValueError(f"the resource {each.served.path} has the mount in it, or the audience of the service")
            auth.resources.add(each.served)
        auth.revocation.keep(self._access_ttl)
        self._by_path = {each.served.path: each for each in known}
        self._asking = self._outgoing or Outgoing(development=auth.settings.development)
        hosts = None if isinstance(self._reads, bool) else frozenset(self._reads)
        documents = Documents(self._asking, hosts, auth.now) if self._reads else None
        self._clients = Clients(
            auth.keys, self._known_clients, auth.settings.name, documents, registration=self._registration
        )
        self._requests = Requests(self._clients, known, issuer)
        self._tickets = Tickets(auth.keys, auth.settings.leeway, auth.now)
        self._codes = Codes(auth.keys, auth.storage, auth.now)
        self._grants = Grants(auth.storage, auth.now)
        self._issuing = Issuing(
            auth,
            self._requests,
            self._codes,
            self._grants,
            access_ttl=self._access_ttl,
            refresh_grace=self._refresh_grace,
            most=self._most,
        )

    async def close(self) -> None:
        """Close the connections to the hosts of documents."""
        await self._asking.close()

    @staticmethod
    def _served(auth: Auth, path: str, item: Resource, issuer: str) -> ProtectedResource:
        url = (auth.settings.base_url or "").rstrip("/") + path
        return ProtectedResource(
            path=path,
            url=url,
            issuer=issuer,
            metadata_url=f"{auth.settings.origin}{WELL_KNOWN}{urlsplit(url).path}",
            scopes=item.first_scopes,
            calls=item.call_scopes,
            own=not item.bearer_only,
        )


def _is_path(path: str) -> bool:
    """Tell whether a text is a path with whole segments, and no slash at its end."""
    return path.startswith("/") and path == path.rstrip("/") and "//" not in path and path.isascii() and " " not in path
