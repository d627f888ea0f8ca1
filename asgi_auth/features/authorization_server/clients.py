"""Clients: those of the configuration, and those that register themselves, of which nothing is stored (RFC 7591).

The id of a client that registers itself is its metadata with a MAC: the same metadata has the same id (3.2.1), no
restart loses a client, and no stranger fills a table.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Literal, TypeAlias

import msgspec

from asgi_auth.crypto.keys import KeyRing
from asgi_auth.crypto.shared_secrets import SharedSecrets
from asgi_auth.errors import InvalidClientError
from asgi_auth.features.authorization_server.base64url import decode, encode
from asgi_auth.features.authorization_server.documents import Documents
from asgi_auth.features.authorization_server.errors import (
    InvalidClientMetadataError,
    InvalidRedirectUriError,
    UnknownClientError,
)
from asgi_auth.features.authorization_server.names import looks_of, plain_name
from asgi_auth.features.authorization_server.redirects import MAX_URIS, check_redirect, without_port
from asgi_auth.features.authorization_server.resource import OAuthClient
from asgi_auth.model.records import Record

#: What the ids of clients begin with that have registered themselves.
PREFIX = "dyn."
#: The longest metadata, in bytes.
MAX_METADATA = 3072
PURPOSE = "registered client"
#: How far a client is known: by the configuration, by the host of its document, or not.
Standing: TypeAlias = Literal["known", "confirmed", "unverified"]


class Metadata(Record, frozen=True, kw_only=True):
    """The metadata of a client that is its id, in the only spelling that counts."""

    name: str
    redirects: tuple[str, ...]


class KnownClient(Record, frozen=True, kw_only=True):
    """A client: its name and addresses, and the `key` by which grants name it."""

    id: str
    name: str
    redirects: tuple[str, ...]
    key: str
    is_configured: bool = False


class Clients:
    """Finds clients by their ids, and registers new ones."""

    def __init__(
        self,
        keys: KeyRing,
        configured: Mapping[str, OAuthClient],
        service: str,
        documents: Documents | None,
        *,
        registration: bool = True,
    ) -> None:
        """Take the keys of the ids, the clients of the configuration, the name of the service, and the documents.

        Without `registration`, clients that have registered themselves before are unknown, too.
        Raises ValueError for a secret that is short or can be guessed.
        """
        self._keys = keys
        self._documents = documents
        self._registration = registration
        self._secret_names = {client_id for client_id, client in configured.items() if client.secret}
        self._secrets = SharedSecrets({name: configured[name].secret for name in self._secret_names})
        self._configured = {
            client_id: KnownClient(
                id=client_id,
                name=client.name,
                redirects=tuple(client.redirect_uris),
                key=f"configured {client_id}",
                is_configured=True,
            )
            for client_id, client in configured.items()
        }
        self._taken = {looks_of(name) for name in (service, *(each.name for each in configured.values()))}

    def find(self, client_id: str) -> KnownClient:
        """Return the client with an id. Raises UnknownClientError."""
        if (known := self._configured.get(client_id)) is not None:
            return known
        body, _, mac = client_id.removeprefix(PREFIX).rpartition(".")
        keys = self._keys.derived(PURPOSE)
        if (
            not self._registration
            or not client_id.startswith(PREFIX)
            or not any(hmac.compare_digest(_mac(key, body).encode(), mac.encode()) for key in keys)
        ):
            raise UnknownClientError
        found = msgspec.json.decode(decode(body), type=Metadata)
        key = hashlib.sha256(msgspec.json.encode(found)).hexdigest()
        return KnownClient(id=client_id, name=found.name, redirects=found.redirects, key=key)

    @property
    def has_secrets(self) -> bool:
        """Whether a client has a secret."""
        return bool(self._secret_names)

    async def named(self, client_id: str, asker: str) -> KnownClient:
        """Return the client that a logged-in user was sent by; its document is read if it has one.

        Raises UnknownClientError, and RateLimitedError as `Documents.read` does for the network of the user.
        """
        if self._documents is None or client_id in self._configured or not self._documents.is_url(client_id):
            return self.find(client_id)
        document = await self._documents.read(client_id, asker)
        name = plain_name(document.client_name)
        if looks_of(name) in self._taken:
            raise UnknownClientError
        return KnownClient(id=client_id, name=name, redirects=tuple(document.redirect_uris), key=client_id)

    def authenticate(self, shown: Sequence[tuple[str, str]]) -> KnownClient:
        """Return the client that asks for tokens, by what its id and secret may be.

        No document is read: the code or refresh token names the client. Raises InvalidClientError.
        """
        if (name := self._secrets.name_of(shown)) is not None:
            return self._configured[name]
        for client_id, _ in shown:
            if client_id in self._secret_names:
                raise InvalidClientError
            if self._documents is not None and self._documents.is_url(client_id):
                return KnownClient(id=client_id, name="", redirects=(), key=client_id)
            with suppress(UnknownClientError):
                return self.find(client_id)
        raise InvalidClientError

    def standing(self, client_id: str, host: str) -> Standing:
        """Tell how far a client is known that leads to a host; empty is this computer, where any program listens."""
        if not host:
            return "unverified"
        if client_id in self._configured:
            return "known"
        return "confirmed" if client_id.startswith(f"https://{host}/") else "unverified"

    def register(self, name: str, redirects: Sequence[str]) -> KnownClient:
        """Return the client with some metadata.

        Raises InvalidRedirectUriError, and InvalidClientMetadataError for a name that looks like that of the service or
        of a client of the configuration, and for metadata that is too long.
        """
        if not 0 < len(redirects) <= MAX_URIS:
            raise InvalidRedirectUriError(f"A client has 1 to {MAX_URIS} redirect URIs.")
        try:
            for uri in redirects:
                check_redirect(uri)
        except ValueError:
            raise InvalidRedirectUriError from None
        plain = plain_name(name)
        kept = Metadata(name=plain, redirects=tuple(sorted({without_port(uri) for uri in redirects})))
        body = msgspec.json.encode(kept)
        if len(body) > MAX_METADATA or looks_of(plain) in self._taken:
            raise InvalidClientMetadataError
        text = encode(body)
        return self.find(f"{PREFIX}{text}.{_mac(self._keys.derived(PURPOSE)[0], text)}")


def _mac(key: bytes, body: str) -> str:
    return encode(hmac.digest(key, body.encode(), "sha256")[:24])
