"""One-time passwords of an authenticator app: turn it on and off, and log in with a code (TOTP, RFC 6238)."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace

from asgi_auth._typed_text import plain_code
from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.auth import Auth
from asgi_auth.crypto.vault import place_of
from asgi_auth.errors import (
    AccountLockedError,
    EmailNotVerifiedError,
    FactorExistsError,
    InvalidCodeError,
    PendingLoginExpiredError,
)
from asgi_auth.feature import (
    REFUSED_SETUPS,
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
    User,
    delete,
    get,
    new_id,
    post,
)
from asgi_auth.features.totp.codes import KEY_SIZE, step_of, svg_of, text_of, uri_of
from asgi_auth.features.totp.setup import TTL, Setups
from asgi_auth.model import event_types as events
from asgi_auth.model.concealed import Concealed
from asgi_auth.model.event_types import Noticed
from asgi_auth.sessions.identity import ANONYMOUS
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.numbers import check_whole

KIND = "totp"
LIMITS = "30/m/ip, 300/h/ip"
#: The input for a code: six digits in two groups.
SIX: Mapping[str, Mapping[str, str]] = {"code": {"data-group": "3"}}


class TotpSetup(Concealed, Record, frozen=True, kw_only=True):
    """A key for an authenticator app: as text, as URI, and as QR code in SVG. `request` belongs to its first code."""

    concealed: ClassVar[frozenset[str]] = frozenset({"secret", "uri", "qr", "request"})

    secret: str
    uri: str
    qr: str
    request: str
    expires_in: int


class TotpStatus(Record, frozen=True, kw_only=True):
    """Whether codes of an app are asked for at a login."""

    enabled: bool


class Totp(Feature):
    """Asks for the code of an authenticator app at each login.

    `issuer` is the name in the app, by default the name of the settings. Codes are accepted `drift` periods of 30
    seconds before and after the current one, and each once (RFC 6238, section 5.2). Ten wrong codes of a user pause
    this factor, and no other. Needs the extra `mfa`.
    """

    requires: Mapping[str, str] = {"cryptography": "mfa", "segno": "mfa"}
    factor_kinds: Mapping[str, Factor] = {KIND: Factor("otp")}
    sealed_kinds: ClassVar[Collection[str]] = (KIND,)
    reauthenticates: ClassVar[Mapping[str, str]] = {KIND: "totp"}
    mails: ClassVar[tuple[str, ...]] = ("factor_paused", "factor_added", "factor_removed")
    notices: ClassVar[Mapping[Noticed, str]] = {
        (events.FACTOR_ADD, "success"): "factor_added",
        (events.FACTOR_REMOVE, "success"): "factor_removed",
    }
    room: ClassVar[Path | None] = Path(__file__).parent
    pages: ClassVar[Sequence[Page]] = (
        Page(name="totp", endpoint="totp_setup", login=True, carries="pending", links=("account",)),
    )
    forms: ClassVar[Sequence[Form]] = (
        Form(endpoint="totp_login", page="second_factor", hidden=("pending",), credential=KIND, attributes=SIX),
        Form(endpoint="reauthenticate_by_totp", page="reauthenticate", credential=KIND, attributes=SIX),
        Form(endpoint="totp_setup", page="totp", shows=True, hidden=("pending",)),
        Form(
            endpoint="totp_turn_on",
            page="totp",
            after="account",
            said="factor_added",
            hidden=("pending",),
            attributes=SIX,
        ),
        Form(endpoint="totp_turn_off", page="account", after="account", said="factor_removed"),
    )
    sections: ClassVar[Sequence[Section]] = (
        Section(name="totp", endpoint="totp_status", order=33, loads=True, group="ways"),
    )

    @checks_options
    def __init__(self, *, issuer: str | None = None, drift: int = 1) -> None:
        """Take the settings. Raises ValueError."""
        check_whole(0, 2, drift=drift)
        self._issuer = issuer
        self._drift = drift

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`."""
        super().attach(auth)
        self._setups = Setups(auth.vault, auth.factors)

    @get("/totp")
    async def totp_status(self, *, identity: Identity) -> TotpStatus:
        """Tell whether codes are asked for."""
        return TotpStatus(enabled=await self.auth.storage.credential(identity.id, KIND) is not None)

    @post("/totp/setup", limits=LIMITS, errors=(*REFUSED_SETUPS, EmailNotVerifiedError, FactorExistsError))
    async def totp_setup(self, *, pending: TokenText = "", identity: Identity | None = None) -> TotpSetup:
        """Get a key for an authenticator app. Codes are asked for once the first one has come back."""
        if pending:
            async with self.auth.pending.attempt(pending, setup=True) as found:
                return await self._begin(await self.auth.pending.user(found), found.token_id)
        caller = await self._proven(identity)
        return await self._begin(await caller.load(), caller.session_id)

    @post(
        "/totp",
        logs_in=True,
        limits=LIMITS,
        event=events.FACTOR_ADD,
        errors=(*REFUSED_SETUPS, FactorExistsError, InvalidCodeError),
    )
    async def totp_turn_on(
        self,
        *,
        request: TokenText,
        code: Line,
        pending: TokenText = "",
        identity: Identity | None = None,
        client: Client = Client(),
    ) -> TokenPair:
        """Turn codes on by the first one. The session counts as proven by it; a pending login ends with a session."""
        if pending:
            async with self.auth.pending.attempt(pending, setup=True) as found:
                user = await self.auth.pending.user(found)
                added = await self._add(user, found.token_id, request, code, client, is_first=True)
                return await self.auth.pending.finish(found, ("otp",), client, added)
        caller = await self._proven(identity)
        added = await self._add(await caller.load(), caller.session_id, request, code, client)
        return await self.auth.renew(caller, amr=("otp", "mfa"), client=client, factor=added)

    @delete("/totp", status=204, fresh=True, second_factor=True, event=events.FACTOR_REMOVE)
    async def totp_turn_off(self, *, identity: Identity, client: Client = Client()) -> None:
        """Turn codes off. Recovery codes go with the last second factor."""
        async with self.auth.storage.transaction() as storage:
            user = await storage.update_user(identity.id, {}, int(self.auth.now()))
            removed = user is not None and await self.auth.factors.remove(storage, user, (KIND,))
        if removed:
            await self.auth.emit(events.FACTOR_REMOVE, user_id=identity.id, client=client, data={"kind": KIND})

    @post(
        "/login/totp",
        logs_in=True,
        limits=LIMITS,
        event=events.LOGIN,
        errors=(InvalidCodeError, PendingLoginExpiredError, AccountLockedError),
    )
    async def totp_login(self, *, pending: TokenText, code: Line, client: Client = Client()) -> TokenPair:
        """Finish a login by a code of the app."""
        async with self.auth.pending.attempt(pending) as found:
            used = await self._use(await self.auth.pending.user(found), code, client)
            return await self.auth.pending.finish(found, ("otp",), client, used)

    @post(
        "/reauthenticate/totp",
        limits=LIMITS,
        event=events.REAUTHENTICATE,
        errors=(InvalidCodeError, AccountLockedError),
    )
    async def reauthenticate_by_totp(self, *, code: Line, identity: Identity, client: Client = Client()) -> TokenPair:
        """Prove a code again, for actions that need a fresh login."""
        used = await self._use(await identity.load(), code, client)
        return await self.auth.renew(identity, amr=("otp", "mfa"), client=client, factor=used)

    async def _begin(self, user: User, holder: str) -> TotpSetup:
        """Make a key; nothing is stored."""
        if self.auth.get(RegistrationService) is not None and not user.email_verified:
            raise EmailNotVerifiedError
        if await self.auth.storage.credential(user.id, KIND) is not None:
            raise FactorExistsError
        key = secrets.token_bytes(KEY_SIZE)
        uri = uri_of(key, self._issuer or self.auth.settings.name, user.email)
        request = await self._setups.seal(key, user, holder, int(self.auth.now()))
        return TotpSetup(secret=text_of(key), uri=uri, qr=svg_of(uri), request=request, expires_in=TTL)

    async def _add(
        self, user: User, holder: str, request: str, code: str, client: Client, *, is_first: bool = False
    ) -> Credential:
        """Store the key by its first code, which is used up by that; `is_first`: only for a user without factors."""
        now = int(self.auth.now())
        key = await self._setups.open(request, user, holder, now)
        step = step_of(key, plain_code(code), now, -1, self._drift) if key is not None else None
        if key is None or step is None:
            raise InvalidCodeError
        empty = Credential(
            id=new_id(self.auth.now()),
            user_id=user.id,
            kind=KIND,
            identifier=user.id,
            secret="",
            data={"step": step},
            created_at=now,
            updated_at=now,
        )
        credential = replace(empty, secret=self.auth.vault.seal(key, place_of(empty)))
        async with self.auth.storage.transaction() as storage:
            if not await self.auth.factors.lock(storage, user.id, holder, is_first=is_first):
                raise InvalidCodeError
            if not await storage.add_credential(credential):
                raise FactorExistsError
        await self.auth.emit(events.FACTOR_ADD, user_id=user.id, client=client, data={"kind": KIND})
        return credential

    async def _use(self, user: User, code: str, client: Client) -> Credential:
        """Use a code up: its step must be newer than the last one. Raises InvalidCodeError."""

        async def on_pause() -> None:
            if self.auth.letters.can_send:
                self.auth.letters.notify("factor_paused", user, client)

        async with self.auth.factor_guesses.guess(KIND, user.id, on_pause):
            credential = await self.auth.storage.credential(user.id, KIND)
            if credential is None:
                raise InvalidCodeError
            key = self.auth.vault.open(credential.secret, place_of(credential))
            now = self.auth.now()
            step = step_of(key, plain_code(code), now, credential.data["step"], self._drift)
            data = {**credential.data, "step": step}
            secret = self._sealed_anew(credential, key)
            if step is None or not await self.auth.storage.change_credential(
                credential, secret=secret, data=data, now=int(now)
            ):
                raise InvalidCodeError
        await self.auth.emit(events.FACTOR_CHECK, user_id=user.id, client=client, data={"kind": KIND})
        return credential

    def _sealed_anew(self, credential: Credential, key: bytes) -> str | None:
        """Seal a key with the newest secret; None if it is."""
        vault = self.auth.vault
        return None if vault.is_current(credential.secret) else vault.seal(key, place_of(credential))

    async def _proven(self, identity: Identity | None) -> Identity:
        """Return the identity of a caller with a fresh login, and with a fresh second factor where it has one.

        Not an option of the endpoints: a browser that finishes a pending login may still have the cookies of another.
        """
        caller = (identity or ANONYMOUS).require()
        await self.auth.pipeline.admission.prove(caller)
        return caller
