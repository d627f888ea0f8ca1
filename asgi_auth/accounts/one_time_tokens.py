"""One-time tokens: mailed as a link and as a short code, stored as digests, used up by one statement (ASVS 6.4.1).

A request for a mail writes the same for a known and for an unknown address, so that neither the answer nor its time
tells them apart. Links carry a signed token: garbage never reaches the database. The code works only together with the
`request` that the caller was given. Wrong codes and wrong passwords are counted apart: guesses at the code leave the
link alone. A newer mail voids the earlier ones of the same client, and never those of another. `MailBudget` bounds the
mails.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal

import msgspec

from asgi_auth._typed_text import plain_code
from asgi_auth.accounts.known_clients import KnownClients
from asgi_auth.accounts.letters import Letters, notice_to
from asgi_auth.accounts.mail_budget import MailBudget
from asgi_auth.accounts.mail_requests import MailRequests
from asgi_auth.accounts.purpose import Purpose
from asgi_auth.accounts.secret_tokens import digest_of
from asgi_auth.accounts.token_secrets import TokenSecrets, new_code
from asgi_auth.bounds.deadline import TO_SETTLE, Deadline
from asgi_auth.crypto.keys import KeyRing
from asgi_auth.errors import InvalidOneTimeTokenError, ServiceUnavailableError, StorageUnavailableError, ValidationError
from asgi_auth.feature.call import NAMED, running
from asgi_auth.limits.counter_keys import CounterKeys, network_of
from asgi_auth.limits.counters import Counters
from asgi_auth.mail import Letter
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import Requested
from asgi_auth.model.records import NO_USER_ID, Client, OneTimeToken, User
from asgi_auth.process.background import finish
from asgi_auth.sessions.bans import lifted
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.storage import Storage
from asgi_auth.validation.email_address import parse_email
from asgi_auth.validation.reasons import Reason

TRIES = 5
#: The value of a token's data that holds the address of the account, where the token is about another one.
ADDRESS = "address"
#: The tokens that a newer one for the same purpose voids: those about the address that the same client asked for, all
#: of the user, or none.
Voids = Literal["client", "user", "nothing"]


class OneTimeTokens:
    """Makes, mails, finds and redeems the one-time tokens of an `Auth`: `auth.one_time`."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        storage: Storage,
        counters: Counters,
        keys: KeyRing,
        counter_keys: CounterKeys,
        known_clients: KnownClients,
        letters: Letters,
        events: EventSink,
        now: Callable[[], float],
    ) -> None:
        """Take the keys, which are derived at the first use."""
        self._storage = storage
        self._budget = MailBudget(counters, counter_keys, known_clients, now)
        self._requests = MailRequests(keys)
        self._counter_key = counter_keys.key
        self._letters = letters
        self._events = events
        self._now = now
        self._secrets = TokenSecrets(keys)

    async def request(self, purpose: Purpose, email: str, client: Client, earlier: str = "") -> Requested:
        """Mail a token to the active user of an address, if there is one: the answer is the same for every address.

        The owner of a closed or disabled account gets a mail that says so. `earlier` is the `request` of the caller's
        previous answer. Raises ValidationError for an invalid address.
        """
        canonical = parse_email(email).canonical
        known = await self._storage.user_by_email(canonical)
        if known is not None and known.status == "disabled":
            known = await lifted(self._storage, known, int(self._now()))
        # By the name that the caller gave: what becomes of a username, or of its address, changes no answer.
        named = (running.get() or {}).get(NAMED, "")
        return await self.ask(
            purpose,
            subject=canonical,
            named=named,
            user=known,
            notice=notice_to(known),
            client=client,
            earlier=earlier,
        )

    async def ask(
        self,
        purpose: Purpose,
        *,
        subject: str,
        client: Client,
        named: str = "",
        user: User | None = None,
        to: str | None = None,
        letter: str = "",
        notice: str | None = None,
        data: Mapping[str, Any] | None = None,
        earlier: str = "",
        voids: Voids = "client",
        by_link: bool = True,
    ) -> Requested:
        """Store a token about a canonical address, and mail it to the user or `to` another address, if one is given.

        The mail replaces that of the caller's `earlier` request, and the answer repeats that. `voids` says which other
        tokens for the purpose become void. When the budget of mails is used up, nothing is sent or voided. `letter`
        names a mail other than the purpose's, `notice` one without the token. `named` is what the caller calls the
        account in place of the address. Without `by_link` the mail has the code alone. The work is the same for all
        addresses.
        """
        request = self._requests.answer(earlier, purpose.path, named or subject)
        user_id = user.id if user else None
        room = await self._budget.take(purpose, subject, client, named)
        if room == "mail":
            to = to or (user.email if user else "")
            token = {"subject": subject, "user_id": user_id, "data": dict(data or {})}
            has = {"has_token": not notice, "has_link": by_link}
            await self._issue(purpose, request, client, token, voids, letter=notice or letter, to=to, **has)
        elif room == "decoy":
            # What an unknown name gets, under an id of its own: earlier mails stay valid.
            another = self._requests.answer("", purpose.path, named)
            await self._issue(purpose, another, client, {"subject": named})
        asked = {"purpose": purpose.name, "account": self._events.digest(subject)}
        await self._events.emit(events.ONE_TIME_TOKEN, user_id=user_id, client=client, data=asked)
        return Requested(request=request, expires_in=purpose.ttl)

    def draft(self, purpose: Purpose, user: User, data: Mapping[str, Any]) -> tuple[OneTimeToken, str]:
        """Return a token for a user that an administrator mails, and the secret of its link; nothing is stored.

        It has no code: a code works with the request of the user who asked for it.
        """
        request, secret = self._requests.answer("", purpose.path, user.email_canonical), secrets.token_urlsafe(32)
        token = self._new(purpose, request, secret, "", data=dict(data), subject=user.email_canonical, user_id=user.id)
        return msgspec.structs.replace(token, code=""), secret

    async def mail(
        self, purpose: Purpose, user: User, secret: str, client: Client, *, name: str = "", language: str = ""
    ) -> None:
        """Mail the link of a token that was stored, by the letter `name`, or that of the purpose.

        No budget bounds these mails. Without a page for the link, the mail has the token.
        """
        letter = self._letters.write(name or purpose.name, user.email, client, user_id=user.id, language=language)
        letter = self._with_token(letter, purpose, secret, "")
        self._letters.send(letter if letter.link else msgspec.structs.replace(letter, code=letter.token))
        asked = {"purpose": purpose.name, "account": self._events.digest(user.email_canonical)}
        await self._events.emit(events.ONE_TIME_TOKEN, user_id=user.id, client=client, data=asked)

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

    @asynccontextmanager
    async def password_attempt(self, token: OneTimeToken, error: type[InvalidOneTimeTokenError]) -> AsyncIterator[None]:
        """Count an attempt at the password of a live token; raises `error` after five. Codes are counted apart.

        The attempt is counted before the block, so that concurrent guesses do not get around the count. It is taken
        back when the block raises ServiceUnavailableError or is cancelled: then nothing was judged.
        """
        now = int(self._now())

        async def take_back(counted: bool = True) -> None:  # noqa: FBT001, FBT002 (the result of the count)
            # Seconds of its own: the request may have none left.
            with Deadline(TO_SETTLE, urgent=True), suppress(StorageUnavailableError):
                if counted:
                    await self._storage.uncount_password(token.id)

        if not await finish(self._storage.count_password(token.id, now=now, tries=TRIES), take_back):
            raise error
        try:
            yield
        except (ServiceUnavailableError, asyncio.CancelledError):
            await finish(take_back())
            raise

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

    def _new(self, purpose: Purpose, request: str, secret: str, code: str, **values: Any) -> OneTimeToken:
        now = int(self._now())
        return OneTimeToken(
            id=request,
            purpose=purpose.name,
            digest=digest_of(secret),
            code=self._secrets.digest_of_code(request, code),
            created_at=now,
            expires_at=now + purpose.ttl,
            **values,
        )

    async def _issue(
        self,
        purpose: Purpose,
        request: str,
        client: Client,
        values: Mapping[str, Any],
        voids: Voids = "client",
        *,
        letter: str = "",
        to: str = "",
        has_token: bool = True,
        has_link: bool = True,
    ) -> None:
        """Store a token with some values, and send a letter: with link and code, with the code alone, or without both.

        Without an address the letter is a decoy.
        """
        secret, code = secrets.token_urlsafe(32), new_code()
        asker = self._counter_key("asker", network_of(client.address) or request)
        token = self._new(purpose, request, secret, code, asker=asker, **values)
        if await self._store(token, voids, token.user_id or NO_USER_ID):
            written = self._letters.write(letter or purpose.name, to, client, user_id=token.user_id)
            mailed = self._with_token(written, purpose, secret, code, has_link=has_link)
            self._letters.send(mailed if has_token else written)

    async def _store(self, token: OneTimeToken, voids: Voids, user_id: str) -> bool:
        async with self._storage.transaction() as storage:
            added = await storage.add_token(token)
            if added and voids == "client":
                await storage.void_earlier(token)
            elif added and voids == "user":
                await storage.void_tokens(user_id, token.created_at, token.purpose, keep=token.id)
        return added

    def _with_token(self, letter: Letter, purpose: Purpose, secret: str, code: str, *, has_link: bool = True) -> Letter:
        token = self._secrets.signed(purpose.name, secret) if has_link else ""
        link = self._letters.link(purpose, token) if has_link else ""
        return msgspec.structs.replace(letter, token=token, code=code, link=link, seconds=purpose.ttl)

    async def _by_token(self, purpose: Purpose, token: str) -> OneTimeToken | None:
        secret = self._secrets.secret_of(purpose.name, token)
        if secret is None:
            return None
        return await self._storage.find_token(purpose.name, digest_of(secret), int(self._now()))

    async def _by_code(self, purpose: Purpose, request: str, code: str) -> OneTimeToken | None:
        digest, now = self._secrets.digest_of_code(request, plain_code(code)), int(self._now())
        return await self._storage.try_code(purpose.name, request, digest, now=now, tries=TRIES)
