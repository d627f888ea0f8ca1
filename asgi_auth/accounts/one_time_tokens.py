"""One-time tokens: mailed as a link and as a short code, stored as digests, used up by one statement (ASVS 6.4.1).

A request for a mail writes the same for a known and for an unknown address, so that neither the answer nor its time
tells them apart. Links carry a signed token: garbage never reaches the database. The code works only together with the
`request` that the caller was given, and its attempts are counted. The mails to an address are bounded for each network
that asks, and for all networks together: an attacker can neither flood it nor block its owner.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from asgi_auth.accounts.letters import Letters
from asgi_auth.accounts.purpose import Purpose
from asgi_auth.crypto.keys import KeyRing
from asgi_auth.errors import InvalidOneTimeTokenError, ValidationError
from asgi_auth.limits.counter_keys import CounterKeys, network_of
from asgi_auth.limits.counters import Counters
from asgi_auth.mail import Letter
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import Requested
from asgi_auth.model.records import NO_USER_ID, Client, OneTimeToken, User
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.storage import Storage
from asgi_auth.validation.email_address import parse_email
from asgi_auth.validation.reasons import Reason

if TYPE_CHECKING:
    from itsdangerous import Signer

DIGITS = 8
#: Two times 32 bytes in base64url without padding, unused bits zero.
SPELLING = re.compile(r"([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\.?){2}")
TRIES = 5
HOUR = 3600
#: The value of a token's data that holds the address of the account, where the token is about another one.
ADDRESS = "address"
#: As many networks may use up their mails before an address gets no more for all of them.
NETWORKS = 4


class OneTimeTokens:
    """Makes, mails, finds and redeems the one-time tokens of an `Auth`: `auth.one_time`."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        storage: Storage,
        counters: Counters,
        keys: KeyRing,
        counter_keys: CounterKeys,
        letters: Letters,
        events: EventSink,
        now: Callable[[], float],
    ) -> None:
        """Derive the keys: the newest signs, all of them verify."""
        import itsdangerous  # noqa: PLC0415 (needed only by an Auth)

        self._library = itsdangerous
        self._storage = storage
        self._counters = counters
        self._counter_key = counter_keys.key
        self._letters = letters
        self._events = events
        self._now = now
        self._keys = keys.derived("one-time token")
        # The oldest: during a rolling change of secrets all processes have it.
        self._code_key = keys.derived("one-time code")[-1]

    async def request(self, purpose: Purpose, email: str, client: Client, earlier: str = "") -> Requested:
        """Mail a token to the active user of an address, if there is one: the answer is the same for every address.

        `earlier` is the `request` of the caller's previous answer. Raises ValidationError for an invalid address.
        """
        canonical = parse_email(email).canonical
        known = await self._storage.user_by_email(canonical)
        user = known if known is not None and known.status == "active" else None
        return await self.ask(purpose, subject=canonical, user=user, client=client, earlier=earlier)

    async def ask(
        self,
        purpose: Purpose,
        *,
        subject: str,
        client: Client,
        user: User | None = None,
        to: str | None = None,
        letter: str = "",
        notice: str | None = None,
        data: Mapping[str, Any] | None = None,
        earlier: str = "",
    ) -> Requested:
        """Store a token about a canonical address, and mail it to the user or `to` another address, if one is given.

        An earlier token of the user for the same purpose is voided. `letter` names a mail other than the purpose's,
        `notice` a mail without the token. During the cooldown of an address no mail is sent; a live `earlier` request
        of the caller about it then stays valid, and is returned. The work is the same for every address.
        """
        secret, code = secrets.token_urlsafe(32), _digits()
        token = self._new(
            purpose, secret, code, subject=subject, user_id=user.id if user else None, data=dict(data or {})
        )
        request = token.id
        if await self._store(token, purpose, client):
            written = self._letters.write(
                notice or letter or purpose.name, to or (user.email if user else ""), client, user_id=token.user_id
            )
            self._letters.send(written if notice else self._with_token(written, purpose, secret, code))
        elif earlier:
            found = await self._storage.recall_token(earlier, purpose.name, subject, token.created_at)
            request = earlier if found is not None and found.id == earlier else request
        about = {"purpose": purpose.name, "account": self._events.digest(subject)}
        await self._events.emit(events.ONE_TIME_TOKEN, user_id=token.user_id, client=client, data=about)
        return Requested(request=request, expires_in=purpose.ttl)

    async def find(self, purposes: Sequence[Purpose], token: str, request: str, code: str) -> OneTimeToken:
        """Find a live token by its text, or by a code and its request. The token stays unused.

        Raises ValidationError when the caller sent neither, or both, and the error of the purpose.
        """
        if bool(token) == bool(request and code):
            raise ValidationError({"token": [Reason("token_or_code")]})
        for purpose in purposes:
            found = await (self._by_token(purpose, token) if token else self._by_code(purpose, request, code))
            if found is not None:
                return found
        raise purposes[0].error

    async def count_attempt(self, token: OneTimeToken, error: type[InvalidOneTimeTokenError]) -> None:
        """Count an attempt on a live token, as a wrong code does; raises `error` after five."""
        now = int(self._now())
        if await self._storage.try_code(token.purpose, token.id, token.code, now=now, tries=TRIES) is None:
            raise error

    async def redeem(
        self,
        storage: Storage,
        token: OneTimeToken,
        error: type[InvalidOneTimeTokenError],
        changes: Mapping[str, Any] | None = None,
        *,
        void: bool = False,
    ) -> User:
        """Use a token in a transaction, `void` all others of its user, and change the user.

        Raises `error` unless the user is active and still has the address that the token is about.
        """
        now = int(self._now())
        if not await storage.use_token(token.id, now):
            raise error
        if void:
            await storage.void_tokens(token.user_id or NO_USER_ID, now)
        return await self.owner(storage, token, error, changes)

    async def owner(
        self,
        storage: Storage,
        token: OneTimeToken,
        error: type[InvalidOneTimeTokenError],
        changes: Mapping[str, Any] | None = None,
    ) -> User:
        """Change and lock the user of a token in a transaction, under the same conditions."""
        user = await storage.update_user(token.user_id or NO_USER_ID, changes or {}, int(self._now()))
        if user is None or user.status != "active" or user.email_canonical != token.data.get(ADDRESS, token.subject):
            raise error
        return user

    def _new(self, purpose: Purpose, secret: str, code: str, **values: Any) -> OneTimeToken:
        now, request = int(self._now()), secrets.token_urlsafe(16)
        return OneTimeToken(
            id=request,
            purpose=purpose.name,
            digest=_digest(secret),
            code=self._code(request, code),
            created_at=now,
            expires_at=now + purpose.ttl,
            **values,
        )

    async def _store(self, token: OneTimeToken, purpose: Purpose, client: Client) -> bool:
        now = token.created_at
        key = self._counter_key("mail", purpose.name, token.subject, network_of(client.address))
        counter = await self._counters.counter(key, now)
        most = purpose.most * NETWORKS if counter is None or counter.count < purpose.most else 0
        async with self._storage.transaction() as storage:
            added = await storage.add_token(token, quiet=purpose.quiet, since=now - HOUR, most=most)
            if added:
                await storage.void_tokens(token.user_id or NO_USER_ID, now, purpose.name, keep=token.id)
        if added:
            await self._counters.count(key, now, HOUR)
        return added

    def _with_token(self, letter: Letter, purpose: Purpose, secret: str, code: str) -> Letter:
        token = self._signer(purpose.name).sign(secret.encode()).decode()
        link = self._letters.link(purpose, token)
        return msgspec.structs.replace(letter, token=token, code=code, link=link, seconds=purpose.ttl)

    async def _by_token(self, purpose: Purpose, token: str) -> OneTimeToken | None:
        try:
            secret = self._signer(purpose.name).unsign(token).decode()
        except self._library.BadSignature:
            return None
        # One spelling only: decoders ignore padding and unused bits.
        if SPELLING.fullmatch(token) is None:
            return None
        return await self._storage.find_token(purpose.name, _digest(secret), int(self._now()))

    async def _by_code(self, purpose: Purpose, request: str, code: str) -> OneTimeToken | None:
        digest, now = self._code(request, "".join(code.split())), int(self._now())
        return await self._storage.try_code(purpose.name, request, digest, now=now, tries=TRIES)

    def _signer(self, purpose: str) -> "Signer":
        return self._library.Signer(
            reversed(self._keys), salt=purpose, key_derivation="hmac", digest_method=hashlib.sha256
        )

    def _code(self, request: str, code: str) -> str:
        return hmac.digest(self._code_key, f"{request}:{code}".encode(), "sha256").hex()


def _digits() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
