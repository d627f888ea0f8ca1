"""Clients that publish their metadata at a URL, which is their id (draft-ietf-oauth-client-id-metadata-document).

A document is read for a logged-in user only, from public addresses only, and what it links to is never read.
"""

import asyncio
import re
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

import msgspec

from asgi_auth._per_loop import PerLoop
from asgi_auth.errors import ProviderUnavailableError, RateLimitedError
from asgi_auth.feature import Outgoing, Record
from asgi_auth.features.authorization_server.errors import UnknownClientError
from asgi_auth.features.authorization_server.reading import Reading
from asgi_auth.features.authorization_server.redirects import MAX_URIS, check_redirect
from asgi_auth.model.limits import Rule
from asgi_auth.outgoing import LOOK_UPS, Answer
from asgi_auth.runtime.public_suffix import site_of

#: The URL of a document: a name, a path, and no fragment, user or backslash.
URL = re.compile(r"https://(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*(?::[0-9]{1,5})?/[!-~]+")
#: Segments of a path that lead elsewhere, also encoded.
DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:[/?]|$)", re.IGNORECASE)
MAX_URL, MAX_BYTES, MAX_SECONDS = 512, 5120, 3
#: Documents that are read at once: for one network of users, of one site, and by the process.
FOR_ONE, OF_ONE, AT_ONCE = 4, 4, LOOK_UPS
#: The greatest number of documents that a process keeps, and the seconds that it keeps one, or a failure.
ENTRIES, SHORTEST, LONGEST, FAILURE = 256, 60, 86400, 30
AGE = re.compile(r"(?:^|[ ,])max-age=([0-9]{1,9})(?:[ ,]|$)")


class Document(Record, frozen=True, kw_only=True):
    """The members of a document that count. A secret has no place in it."""

    client_id: str
    redirect_uris: list[str]
    client_name: str = ""
    token_endpoint_auth_method: str = "none"
    client_secret: msgspec.UnsetType = msgspec.UNSET


class Kept(Record, frozen=True):
    """A document, or that there is none, until a time."""

    document: Document | None
    until: float


class Documents:
    """Reads documents, and keeps them for a while."""

    def __init__(self, outgoing: Outgoing, hosts: Collection[str] | None, now: Callable[[], float]) -> None:
        """Take the way to other servers, the hosts that may have documents (None: all), and the clock."""
        self._outgoing = outgoing
        self._hosts = hosts
        self._now = now
        self._kept: dict[str, Kept] = {}
        # A lock belongs to the loop that waits for it.
        self._locks: PerLoop[dict[str, asyncio.Lock]] = PerLoop(lambda _: None)
        self._reading = Reading()

    def is_url(self, client_id: str) -> bool:
        """Tell whether the id of a client is the URL of a document that may be read."""
        if len(client_id) > MAX_URL or URL.fullmatch(client_id) is None or re.search(r"[#@\\]", client_id):
            return False
        if DOTS.search(urlsplit(client_id).path):
            return False
        return self._hosts is None or urlsplit(client_id).hostname in self._hosts

    async def read(self, url: str, asker: str) -> Document:
        """Return the document at a URL, for a network of users. Concurrent calls read once.

        Raises RateLimitedError while as many are read as may be, and UnknownClientError for every failure.
        """
        if not self.is_url(url):
            raise UnknownClientError
        locks = self._locks.get()
        locks = self._locks.set({}) if locks is None else locks
        try:
            async with locks.setdefault(url, asyncio.Lock()):
                kept = self._kept.get(url)
                if kept is None or kept.until <= self._now():
                    kept = await self._read(url, asker)
                    self._keep(url, kept)
        finally:
            locks.pop(url, None)
        if kept.document is None:
            raise UnknownClientError
        return kept.document

    async def _read(self, url: str, asker: str) -> Kept:
        # In a thread, because the list of public suffixes takes a tenth of a second to load.
        _, site = await asyncio.to_thread(site_of, url)
        ended = self._reading.begin({f"for {asker}": FOR_ONE, f"of {site}": OF_ONE, "all": AT_ONCE})
        if ended is None:
            raise RateLimitedError(MAX_SECONDS, Rule("ip", MAX_SECONDS, FOR_ONE))
        try:
            answer = await self._outgoing.public(url, seconds=MAX_SECONDS, most=MAX_BYTES, ended=ended)
            document = _judged(url, answer)
        except (ProviderUnavailableError, ValueError):
            return Kept(None, self._now() + FAILURE)
        found = AGE.search(answer.headers.get("cache-control", ""))
        return Kept(document, self._now() + min(max(int(found[1]) if found else 0, SHORTEST), LONGEST))

    def _keep(self, url: str, kept: Kept) -> None:
        self._kept.pop(url, None)
        for oldest in list(self._kept)[: max(0, len(self._kept) - ENTRIES + 1)]:
            self._kept.pop(oldest, None)
        self._kept[url] = kept


def _judged(url: str, answer: Answer) -> Document:
    """Return the document in an answer. Raises ValueError for one that says nothing about the client at the URL."""
    if answer.status != 200:
        raise ValueError("there is no document")
    # A wrong type of a member is a ValueError, too.
    document = msgspec.json.decode(answer.body, type=Document)
    if document.client_id != url or document.token_endpoint_auth_method != "none":
        raise ValueError("the document is that of another client, or of one with a secret")
    if not 0 < len(document.redirect_uris) <= MAX_URIS:
        raise ValueError(f"a client has 1 to {MAX_URIS} redirect URIs")
    for uri in document.redirect_uris:
        check_redirect(uri)
    return document
