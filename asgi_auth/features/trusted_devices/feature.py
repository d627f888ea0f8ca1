"""Trusted devices: a browser that has shown a second factor needs none for a while."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from asgi_auth.accounts.secret_tokens import digest_of, new_token
from asgi_auth.errors import BadRequestError, NotFoundError
from asgi_auth.feature import (
    Call,
    Ending,
    Endpoint,
    Feature,
    Identity,
    Line,
    LoginAttempt,
    Record,
    delete,
    get,
)
from asgi_auth.feature.call import running
from asgi_auth.model.answers import SetCookie
from asgi_auth.model.event_types import Action
from asgi_auth.model.user_agent import device_name
from asgi_auth.sessions.identity import MFA
from asgi_auth.sources.kinds import checks_options
from asgi_auth.storage import Storage
from asgi_auth.validation.numbers import check_whole

PURPOSE = "trusted_device"
#: The event of a browser that is trusted.
DEVICE_TRUST = "device_trust"
#: The cookie, and the field, under whose name the notes of a call have the wish of the user.
COOKIE, FIELD = "trusted", "trust_device"
#: The note of a call with the token and the secret of the device.
TRUST = "trusted device"
#: The endpoints whose logins may trust the browser: not those by a recovery code, for a user without the device.
FINISHING = ("totp_login", "passkey_login")
DAY = 86400


class TrustedDevice(Record, frozen=True, kw_only=True):
    """A trusted device as its user sees it; times are seconds since 1970."""

    id: str
    device: str
    created_at: int
    expires_at: int


class TrustedDeviceList(Record, frozen=True, kw_only=True):
    """The trusted devices, newest first."""

    devices: list[TrustedDevice]


class TrustedDevices(Feature):
    """Lets users trust a browser for `days` when they finish a login with the code of an app or with a passkey.

    Its logins then need the first factor alone, and their sessions have no `mfa`. The trust is bound to the user and to
    the second factors as they are. It ends with a new password, a changed factor, `POST /logout-all`, and a ban.
    """

    room: ClassVar[Path | None] = Path(__file__).parent
    actions: ClassVar[Mapping[str, Action]] = {
        DEVICE_TRUST: Action(
            "A browser is trusted: its logins need no second factor for a while.", "authn_device_trusted"
        )
    }

    @checks_options
    def __init__(self, *, days: int = 30) -> None:
        """Take the number of days. Raises ValueError."""
        # Browsers keep no cookie longer.
        check_whole(1, 400, days=days)
        self._ttl = days * DAY

    def takes_part(self, endpoint: Endpoint) -> bool:
        """Tell whether an endpoint finishes a login by a factor of a device, or ends all sessions."""
        return endpoint.name in {*FINISHING, "logout_all"}

    def fields_at(self, endpoint: Endpoint) -> Mapping[str, Any]:
        """Add the wish to trust the browser to a login by an app or a passkey."""
        return {FIELD: bool} if endpoint.name in FINISHING else {}

    async def waives(self, login: LoginAttempt) -> bool:
        """Tell whether the browser is trusted by this user with these factors."""
        try:
            secret = login.client.cookies.get(COOKIE, "")
        except BadRequestError:
            # The site of a sibling domain has set another one: no browser is trusted then, and the login goes on.
            return False
        if not secret:
            return False
        storage = self.auth.storage
        token = await storage.find_token(PURPOSE, digest_of(secret), int(self.auth.now()))
        if token is None or token.user_id != login.user.id:
            return False
        return bool(token.data["factors"] == await self._factors(storage, login.user.id))

    async def before(self, call: Call) -> None:
        """Note the wish to trust the browser; trust none at the end of all sessions."""
        call.notes[FIELD] = call.added.get(FIELD)
        if call.endpoint.name == "logout_all":
            await self._distrust(call.identity.id)

    async def before_login(self, login: LoginAttempt) -> None:
        """Store the trust of a login with a second factor before its session.

        So whatever ends the session ends the trust as well: a new password, a ban and the end of all sessions void the
        tokens after they have made sure that no session is added.
        """
        notes = running.get() or {}
        if MFA in login.amr and notes.pop(FIELD, None):
            factors = await self._factors(self.auth.storage, login.user.id)
            data = {"factors": factors, "device": device_name(login.client.user_agent)}
            token, secret = new_token(PURPOSE, login.user.id, data, now=int(self.auth.now()), seconds=self._ttl)
            await self.auth.storage.add_token(token)
            notes[TRUST] = token, secret

    async def after(self, call: Call, ending: Ending) -> None:
        """Give the browser the cookie after a login; void the trust of one that failed."""
        now, (token, secret) = int(self.auth.now()), call.notes.pop(TRUST, (None, ""))
        if call.endpoint.name == "logout_all" and ending == "done":
            # Once more: a login may have run meanwhile.
            await self._distrust(call.identity.id)
        elif token is not None and ending == "done":
            call.cookies.append(SetCookie(COOKIE, secret, self._ttl))
            await self.auth.emit(DEVICE_TRUST, user_id=token.user_id, client=call.client)
        elif token is not None:
            await self.auth.storage.use_token(token.id, now)

    @get("/trusted-devices")
    async def trusted_devices(self, *, identity: Identity) -> TrustedDeviceList:
        """List the browsers whose logins need no second factor."""
        storage = self.auth.storage
        tokens = await storage.tokens(identity.id, PURPOSE, int(self.auth.now()))
        factors = await self._factors(storage, identity.id)
        return TrustedDeviceList(
            devices=[
                TrustedDevice(
                    id=token.id, device=token.data["device"], created_at=token.created_at, expires_at=token.expires_at
                )
                for token in tokens
                # Other factors than those of now are trusted no longer.
                if token.data["factors"] == factors
            ]
        )

    @delete("/trusted-devices/{id}", status=204, errors=(NotFoundError,))
    async def distrust_device(self, *, id: Line, identity: Identity) -> None:  # noqa: A002 (a field of the API)
        """Trust a browser no longer."""
        now = int(self.auth.now())
        tokens = await self.auth.storage.tokens(identity.id, PURPOSE, now)
        if id not in {token.id for token in tokens} or not await self.auth.storage.use_token(id, now):
            raise NotFoundError

    async def _distrust(self, user_id: str) -> None:
        await self.auth.storage.void_tokens(user_id, int(self.auth.now()), PURPOSE)

    async def _factors(self, storage: Storage, user_id: str) -> str:
        """Return a digest of the second factors of a user: a changed set of them trusts no device."""
        credentials = await storage.credentials(user_id)
        ids = sorted(each.id for each in credentials if self.auth.second_factors.is_factor(each.kind))
        return hashlib.sha256(" ".join(ids).encode()).hexdigest()
