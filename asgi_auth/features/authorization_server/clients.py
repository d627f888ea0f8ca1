"""Clients: those of the configuration, and those that register themselves, of which nothing is stored (RFC 7591).

The id of a client that registers itself is its metadata with a MAC: the same metadata has the same id (3.2.1), no
restart loses a client, and no stranger fills a table.
"""

import hashlib
import hmac
import re
import unicodedata
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
from asgi_auth.features.authorization_server.redirects import MAX_URIS, check_redirect, without_port
from asgi_auth.features.authorization_server.resource import OAuthClient
from asgi_auth.model.records import Record

#: What the ids of clients begin with that have registered themselves.
PREFIX = "dyn."
#: The longest name, and the longest metadata in bytes.
MAX_NAME, MAX_METADATA = 60, 3072
PURPOSE = "registered client"
#: The quotation marks of the texts in which a name is shown; letters and marks that no one sees; and marks in a pile.
QUOTES = frozenset('"\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\u300c\u300d\u300e\u300f\u301d\u301e\u301f')
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f]")
STACKED = re.compile(r"([\u0300-\u036f]{2})[\u0300-\u036f]+")
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
        self, keys: KeyRing, configured: Mapping[str, OAuthClient], service: str, documents: Documents | None
    ) -> None:
        """Take the keys of the ids, the clients of the configuration, the name of the service, and the documents.

        Raises ValueError for a secret that is short or can be guessed.
        """
        self._keys = keys
        self._documents = documents
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
        self._taken = {plain_name(name).casefold() for name in (service, *(each.name for each in configured.values()))}

    def find(self, client_id: str) -> KnownClient:
        """Return the client with an id. Raises UnknownClientError."""
        if (known := self._configured.get(client_id)) is not None:
            return known
        body, _, mac = client_id.removeprefix(PREFIX).rpartition(".")
        keys = self._keys.derived(PURPOSE)
        if not client_id.startswith(PREFIX) or not any(
            hmac.compare_digest(_mac(key, body).encode(), mac.encode()) for key in keys
        ):
            raise UnknownClientError
        found = msgspec.json.decode(decode(body), type=Metadata)
        key = hashlib.sha256(msgspec.json.encode(found)).hexdigest()
        return KnownClient(id=client_id, name=found.name, redirects=found.redirects, key=key)

    @property
    def has_secrets(self) -> bool:
        """Whether a client has a secret."""
        return bool(self._secret_names)

    async def named(self, client_id: str) -> KnownClient:
        """Return the client that a logged-in user was sent by; its document is read if it has one.

        Raises UnknownClientError.
        """
        if self._documents is None or client_id in self._configured or not self._documents.is_url(client_id):
            return self.find(client_id)
        document = await self._documents.read(client_id)
        name = plain_name(document.client_name)
        if name.casefold() in self._taken:
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

        Raises InvalidRedirectUriError, and InvalidClientMetadataError for the name of the service or of a client of the
        configuration, and for metadata that is too long.
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
        if len(body) > MAX_METADATA or plain.casefold() in self._taken:
            raise InvalidClientMetadataError
        text = encode(body)
        return self.find(f"{PREFIX}{text}.{_mac(self._keys.derived(PURPOSE)[0], text)}")


def plain_name(name: str) -> str:
    """Return a name as users are shown it: one line that is seen whole and ends no quotation, cut to 60."""
    text = UNSEEN.sub("", unicodedata.normalize("NFKC", name))
    # Characters without a width and of direction are dropped, the others become spaces.
    kept = (each for each in text if unicodedata.category(each) != "Cf")
    shown = "".join(" " if unicodedata.category(each)[0] in "CZ" or each in QUOTES else each for each in kept)
    return " ".join(STACKED.sub(r"\1", shown).split())[:MAX_NAME].strip()


def _mac(key: bytes, body: str) -> str:
    return encode(hmac.digest(key, body.encode(), "sha256")[:24])
