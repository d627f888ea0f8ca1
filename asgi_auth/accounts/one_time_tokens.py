"""One-time tokens: mailed as a link and as a short code, stored as digests, used up by one statement (ASVS 6.4.1).

Asking writes the same for an address that is known and for one that isn't, so that neither the answer nor its time
tells. Links carry a signed token: garbage never reaches the database. The code works only together with the `request`
that the asker was given, and its attempts are counted. How often an address is mailed is bounded for each network that
asks, and for all together: strangers can neither flood it nor keep its owner from asking.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import msgspec

from asgi_auth.errors import InvalidOneTimeTokenError, ValidationError
from asgi_auth.limits.rules import counter_key, network_of
from asgi_auth.mail import Letter
from asgi_auth.model import event_types as events
from asgi_auth.model.records import NO_USER_ID, Client, OneTimeToken, Record, User
from asgi_auth.validation.reasons import Reason

if TYPE_CHECKING:
    from itsdangerous import Signer

    from asgi_auth.auth import Auth
    from asgi_auth.storage import Storage

DIGITS = 8
#: Two times 32 bytes in base64url without padding, unused bits zero.
SPELLING = re.compile(r"([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\.?){2}")
TRIES = 5
#: What an endpoint wants that takes the token, or the code with its request: for `post(schema=…)`.
TOKEN_OR_CODE: Mapping[str, Any] = {
    "oneOf": [
        {"required": ["token"]},
        {"required": ["request", "code"], "properties": {"request": {"minLength": 1}, "code": {"minLength": 1}}},
    ]
}
HOUR = 3600
#: The value of a token's data that holds the address of the account, where the token is about another one.
ADDRESS = "address"
#: So many networks may use up their mails before an address gets no more for all of them.
NETWORKS = 4


class Requested(Record, frozen=True, kw_only=True):
    """The answer to whoever asks for a mail: the same whether one is sent or not."""

    http_status: ClassVar[int] = 202
    #: Goes with the code of the mail; only who asked has it.
    request: str
    #: Seconds.
    expires_in: int


class Purpose:
    """What a kind of one-time token is for, and its bounds.

    `ttl`: seconds it lives. `quiet`: seconds in which an address gets no second mail. `most`: mails an hour that one
    network can send to an address; four times that for all of them. One more when nothing that was sent is good any
    more. `path`: the page below the mount that the link leads to; `link`: one elsewhere, with `{token}` in it.
    `error`: what is raised when token or code are no good.
    """

    def __init__(
        self,
        name: str,
        path: str,
        *,
        ttl: int,
        quiet: int = 60,
        most: int = 5,
        link: str | None = None,
        error: type[InvalidOneTimeTokenError] = InvalidOneTimeTokenError,
    ) -> None:
        """Check the bounds; raises ValueError."""
        if ttl <= 0 or quiet < 0 or most <= 0:
            raise ValueError("ttl and most are positive, quiet is not negative")
        if link is not None and "{token}" not in link:
            raise ValueError("a link has {token} in it")
        self.name = name
        self.path = path
        self.ttl = ttl
        self.quiet = quiet
        self.most = most
        self.link = link
        self.error = error


class OneTimeTokens:
    """Makes, mails and finds the one-time tokens of an `Auth`: `auth.one_time`."""

    def __init__(self, auth: "Auth") -> None:
        """Derive the keys; the newest signs, all of them verify."""
        import itsdangerous  # noqa: PLC0415 (who has an Auth needs it)

        self._library = itsdangerous
        self._auth = auth
        self._keys = auth.keys.derived("one-time token")
        # The oldest: during a rolling change of secrets all processes have it.
        self._code_key = auth.keys.derived("one-time code")[-1]

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
        """Store a token about a canonical address; mail it to the user, or `to` another address, or to nobody.

        An earlier one of the user's for the same purpose dies. `letter` names a mail other than the purpose's, `notice`
        one that goes out without the token. An address that got one too lately gets none; a live `earlier` request of
        the asker's about it then stays the one to go on with. The work is the same, whoever has the address.
        """
        secret, code = secrets.token_urlsafe(32), _digits()
        token = self._new(
            purpose, secret, code, subject=subject, user_id=user.id if user else None, data=dict(data or {})
        )
        request = token.id
        if await self._store(token, purpose, client):
            address = to or (user.email if user else "")
            name, language = notice or letter or purpose.name, self._auth.texts.choose(client.accept_language)
            written = Letter(purpose=name, to=address, language=language, user_id=token.user_id)
            self.post(written if notice else self._with_token(written, purpose, secret, code))
        elif earlier:
            found = await self._auth.storage.recall_token(earlier, purpose.name, subject, token.created_at)
            request = earlier if found is not None and found.id == earlier else request
        data = {"purpose": purpose.name, "account": self._auth.stream.digest(subject)}
        await self._auth.emit(events.ONE_TIME_TOKEN, user_id=token.user_id, client=client, data=data)
        return Requested(request=request, expires_in=purpose.ttl)

    def _new(self, purpose: Purpose, secret: str, code: str, **values: Any) -> OneTimeToken:
        now, request = int(self._auth.now()), secrets.token_urlsafe(16)
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
        now, counters = token.created_at, self._auth.counters
        key = counter_key(self._auth, "mail", purpose.name, token.subject, network_of(client.address))
        counter = await counters.counter(key, now)
        most = purpose.most * NETWORKS if counter is None or counter.count < purpose.most else 0
        async with self._auth.storage.transaction() as storage:
            added = await storage.add_token(token, quiet=purpose.quiet, since=now - HOUR, most=most)
            if added:
                await storage.void_tokens(token.user_id or NO_USER_ID, now, purpose.name, keep=token.id)
        if added:
            await counters.count(key, now, HOUR)
        return added

    def _with_token(self, letter: Letter, purpose: Purpose, secret: str, code: str) -> Letter:
        token = self._signer(purpose.name).sign(secret.encode()).decode()
        link = self.link(purpose, token)
        return msgspec.structs.replace(letter, token=token, code=code, link=link, seconds=purpose.ttl)

    def post(self, letter: Letter) -> None:
        """Have a letter sent after the answer."""

        async def write() -> Letter:
            return letter

        self._auth.mail.later(write, to_nobody=not letter.to)

    async def find(self, purposes: Sequence[Purpose], token: str, request: str, code: str) -> OneTimeToken:
        """Find the live token that was shown as such, or as a code with its request; nothing is used up.

        Raises ValidationError when neither was sent, or both, and the error of the purpose.
        """
        if bool(token) == bool(request and code):
            raise ValidationError({"token": [Reason("token_or_code")]})
        for purpose in purposes:
            found = await (self._by_token(purpose, token) if token else self._by_code(purpose, request, code))
            if found is not None:
                return found
        raise purposes[0].error

    async def redeem(
        self,
        storage: "Storage",
        token: OneTimeToken,
        error: type[InvalidOneTimeTokenError],
        changes: Mapping[str, Any] | None = None,
        *,
        void: bool = False,
    ) -> User:
        """Use a token up in a transaction, `void` all others of its user, and change the user.

        Raises `error` unless the user is active and still has the address that the token is about.
        """
        now = int(self._auth.now())
        if not await storage.use_token(token.id, now):
            raise error
        if void:
            await storage.void_tokens(token.user_id or NO_USER_ID, now)
        return await self.owner(storage, token, error, changes)

    async def owner(
        self,
        storage: "Storage",
        token: OneTimeToken,
        error: type[InvalidOneTimeTokenError],
        changes: Mapping[str, Any] | None = None,
    ) -> User:
        """Change and lock the user of a token in a transaction, under the same conditions."""
        user = await storage.update_user(token.user_id or NO_USER_ID, changes or {}, int(self._auth.now()))
        if user is None or user.status != "active" or user.email_canonical != token.data.get(ADDRESS, token.subject):
            raise error
        return user

    async def _by_token(self, purpose: Purpose, token: str) -> OneTimeToken | None:
        try:
            secret = self._signer(purpose.name).unsign(token).decode()
        except self._library.BadSignature:
            return None
        # One spelling only: decoders overlook padding and unused bits.
        if SPELLING.fullmatch(token) is None:
            return None
        return await self._auth.storage.find_token(purpose.name, _digest(secret), int(self._auth.now()))

    async def _by_code(self, purpose: Purpose, request: str, code: str) -> OneTimeToken | None:
        digest, now = self._code(request, "".join(code.split())), int(self._auth.now())
        return await self._auth.storage.try_code(purpose.name, request, digest, now=now, tries=TRIES)

    def link(self, purpose: Purpose, token: str) -> str:
        """Make the link of a mail from the configuration alone; empty when there is no page for it."""
        if purpose.link is not None:
            return purpose.link.replace("{token}", quote(token, safe=""))
        page = self._auth.page_urls.url(purpose.path)
        return f"{page}?token={quote(token, safe='')}" if page else ""

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
