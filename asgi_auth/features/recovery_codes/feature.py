"""Recovery codes: eight codes on paper, each for one login without the other second factors."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from asgi_auth.errors import InvalidCodeError, PendingLoginExpiredError, SecondFactorNeededError
from asgi_auth.feature import (
    Client,
    Credential,
    Factor,
    Feature,
    Form,
    Identity,
    Line,
    Page,
    Record,
    Section,
    TokenPair,
    TokenText,
    get,
    new_id,
    post,
)
from asgi_auth.model import event_types as events
from asgi_auth.model.concealed import Concealed
from asgi_auth.model.event_types import Action, Noticed
from asgi_auth.sessions.identity import MFA
from asgi_auth.sessions.second_factors import USED_UP
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.numbers import check_whole

#: The kind of the credential, and the event of new codes.
KIND = NEW_CODES = "recovery_codes"
#: Crockford's alphabet, without I, L, O and U; letters of a code and of a group: 120 bits (ASVS 6.5.2).
ALPHABET, LETTERS, GROUP = "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24, 4
SAME = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})
LIMITS = "30/m/ip, 300/h/ip"


class RecoveryCodeSet(Concealed, Record, frozen=True, kw_only=True):
    """New codes. They are shown this once, and take the place of all earlier ones."""

    concealed: ClassVar[frozenset[str]] = frozenset({"codes"})

    codes: list[str]


class RecoveryCodesLeft(Record, frozen=True, kw_only=True):
    """The number of codes that were not used."""

    left: int


class RecoveryCodes(Feature):
    """Gives `count` codes for logins without the other second factors. They are no factor of their own."""

    factor_kinds: Mapping[str, Factor] = {KIND: Factor("recovery", is_backup=True)}
    mails: ClassVar[tuple[str, ...]] = ("recovery_code_used", "recovery_codes_made")
    notices: ClassVar[Mapping[Noticed, str]] = {(NEW_CODES, "success"): "recovery_codes_made"}
    actions: ClassVar[Mapping[str, Action]] = {
        NEW_CODES: Action("New recovery codes were given.", "authn_token_created", "authn_token_create_fail")
    }
    room: ClassVar[Path | None] = Path(__file__).parent
    pages: ClassVar[Sequence[Page]] = (
        Page(
            name="recovery_codes", endpoint="recovery_codes", path="/recovery-codes/new", login=True, links=("account",)
        ),
    )
    sections: ClassVar[Sequence[Section]] = (
        Section(name="recovery_codes", endpoint="recovery_codes_left", order=34, loads=True, group="ways"),
    )
    forms: ClassVar[Sequence[Form]] = (
        Form(
            endpoint="recovery_code_login",
            page="second_factor",
            credential=KIND,
            hidden=("pending",),
            attributes={"code": {"inputmode": "text", "autocomplete": "off", "autocapitalize": "characters"}},
        ),
        Form(endpoint="recovery_codes", page="recovery_codes", shows=True),
    )

    @checks_options
    def __init__(self, *, count: int = 8) -> None:
        """Take the number of codes in a set. Raises ValueError."""
        check_whole(1, 32, count=count)
        self._count = count

    @post(
        "/recovery-codes",
        status=201,
        fresh=True,
        second_factor=True,
        event=NEW_CODES,
        errors=(SecondFactorNeededError,),
    )
    async def recovery_codes(self, *, identity: Identity, client: Client = Client()) -> RecoveryCodeSet:
        """Get a new set of recovery codes, beside another second factor. The earlier ones become void."""
        codes = [_new_code() for _ in range(self._count)]
        now = int(self.auth.now())
        credential = Credential(
            id=new_id(self.auth.now()),
            user_id=identity.id,
            kind=KIND,
            identifier=identity.id,
            secret="\n".join(map(_digest, codes)),
            created_at=now,
            updated_at=now,
        )
        async with self.auth.storage.transaction() as storage:
            await storage.update_user(identity.id, {}, now)
            # Judged again under the lock. Codes from before the first factor would open the account beside it.
            session = await storage.session(identity.session_id)
            has_factors = self.auth.second_factors.names(await storage.credentials(identity.id))
            if not has_factors or session is None or session.revoked_at is not None or MFA not in session.amr:
                raise SecondFactorNeededError("Set up another second factor, or show it first.")
            await storage.delete_credentials(identity.id, (KIND,))
            await storage.add_credential(credential)
        await self.auth.emit(NEW_CODES, user_id=identity.id, client=client, data={"count": self._count})
        return RecoveryCodeSet(codes=codes)

    @get("/recovery-codes")
    async def recovery_codes_left(self, *, identity: Identity) -> RecoveryCodesLeft:
        """Count the codes that are left."""
        credential = await self.auth.storage.credential(identity.id, KIND)
        return RecoveryCodesLeft(left=len(credential.secret.split()) if credential is not None else 0)

    @post(
        "/login/recovery-code",
        logs_in=True,
        limits=LIMITS,
        event=events.LOGIN,
        errors=(InvalidCodeError, PendingLoginExpiredError),
    )
    async def recovery_code_login(self, *, pending: TokenText, code: Line, client: Client = Client()) -> TokenPair:
        """Finish a login by a recovery code, which is used up."""
        async with self.auth.pending.attempt(pending) as found:
            used = await self._use(found.user_id, code)
            await self._tell(used, client)
            return await self.auth.pending.finish(found, ("recovery",), client, used)

    async def _use(self, user_id: str, code: str) -> Credential:
        """Use a code up, and return those that are left. Raises InvalidCodeError."""
        digest, now = _digest(code), int(self.auth.now())
        # A concurrent login with another code changes the set, at most as often as there are codes.
        for _ in range(self._count + 1):
            credential = await self.auth.storage.credential(user_id, KIND)
            left = credential.secret.split() if credential is not None else []
            if credential is None or digest not in left:
                raise InvalidCodeError
            left.remove(digest)
            # A set without codes stays: a concurrent login with the last but one needs it.
            data, secret = {} if left else {USED_UP: True}, "\n".join(left)
            used = await self.auth.storage.change_credential(credential, secret=secret, data=data, now=now)
            if used is not None:
                return used
        raise InvalidCodeError

    async def _tell(self, used: Credential, client: Client) -> None:
        """Emit the event, and write to the user how many codes are left."""
        user_id, left = used.user_id, len(used.secret.split())
        data = {"kind": KIND, "left": left}
        await self.auth.emit(events.FACTOR_CHECK, user_id=user_id, client=client, data=data)
        user = await self.auth.storage.user(user_id)
        if user is not None and self.auth.letters.can_send:
            self.auth.letters.notify("recovery_code_used", user, client, {"left": str(left)})


def _new_code() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
    return "-".join(letters[start : start + GROUP] for start in range(0, LETTERS, GROUP))


def _digest(code: str) -> str:
    """Return the digest of a code, however it was typed. A code has 120 random bits, so a fast digest is enough."""
    return hashlib.sha256(code.upper().translate(SAME).encode()).hexdigest()
