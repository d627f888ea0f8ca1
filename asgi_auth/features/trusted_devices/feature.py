"""Trusted devices: a browser that has shown a second factor needs none for a while."""

import hashlib
import secrets
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, ClassVar

from asgi_auth.errors import BadRequestError, NotFoundError
from asgi_auth.feature import (
    Call,
    Client,
    Ending,
    Endpoint,
    Event,
    Feature,
    Identity,
    Line,
    LoginAttempt,
    OneTimeToken,
    Record,
    delete,
    get,
)
from asgi_auth.feature.call import running
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import SetCookie
from asgi_auth.model.user_agent import device_name
from asgi_auth.storage import Storage

PURPOSE = "trusted_device"
#: The cookie, the field, and the note of a call with the id of the user that it has logged in.
COOKIE, FIELD, USER = "trusted", "trust_device", "trusted user"
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
    """Lets users trust a browser for `days` when they log in with the code of an app.

    Its logins then need the first factor alone, and their sessions have no `mfa`. The trust is bound to the user and to
    the second factors as they are. It ends with a new password, a changed factor, `POST /logout-all`, and a ban.
    """

    observes: Container[str] | None = (events.LOGIN,)
    room: ClassVar[Path | None] = Path(__file__).parent

    def __init__(self, *, days: int = 30) -> None:
        """Take the number of days. Raises ValueError."""
        if not 1 <= days <= 400:
            raise ValueError("days is 1 to 400: browsers keep no cookie longer")
        self._ttl = days * DAY

    def takes_part(self, endpoint: Endpoint) -> bool:
        """Tell whether an endpoint finishes a login by an app, or ends all sessions."""
        return endpoint.name in {"totp_login", "logout_all"}

    def fields_at(self, endpoint: Endpoint) -> Mapping[str, Any]:
        """Add the wish to trust the browser to a login by an app."""
        return {FIELD: bool} if endpoint.name == "totp_login" else {}

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
        token = await storage.find_token(PURPOSE, _digest(secret), int(self.auth.now()))
        if token is None or token.user_id != login.user.id:
            return False
        return bool(token.data["factors"] == await self._factors(storage, login.user.id))

    async def observe(self, event: Event) -> None:
        """Note the user that the running call has logged in."""
        notes = running.get()
        if notes is not None and event.outcome == "success":
            notes[USER] = event.user_id

    async def after(self, call: Call, ending: Ending) -> None:
        """Trust the browser after a login, if the user wants it; trust none after the end of all sessions."""
        if ending != "done":
            return
        if call.endpoint.name == "logout_all":
            await self.auth.storage.void_tokens(call.identity.id, int(self.auth.now()), PURPOSE)
        elif call.added.get(FIELD) and call.notes.get(USER):
            call.cookies.append(await self._trust(call.notes[USER], call.client))

    @get("/trusted-devices")
    async def trusted_devices(self, *, identity: Identity) -> TrustedDeviceList:
        """List the browsers whose logins need no second factor."""
        tokens = await self.auth.storage.tokens(identity.id, PURPOSE, int(self.auth.now()))
        return TrustedDeviceList(
            devices=[
                TrustedDevice(
                    id=token.id, device=token.data["device"], created_at=token.created_at, expires_at=token.expires_at
                )
                for token in tokens
            ]
        )

    @delete("/trusted-devices/{id}", status=204, errors=(NotFoundError,))
    async def distrust_device(self, *, id: Line, identity: Identity) -> None:  # noqa: A002 (a field of the API)
        """Trust a browser no longer."""
        now = int(self.auth.now())
        tokens = await self.auth.storage.tokens(identity.id, PURPOSE, now)
        if id not in {token.id for token in tokens} or not await self.auth.storage.use_token(id, now):
            raise NotFoundError

    async def _trust(self, user_id: str, client: Client) -> SetCookie:
        secret, token_id, now = secrets.token_urlsafe(32), secrets.token_urlsafe(16), int(self.auth.now())
        storage = self.auth.storage
        data = {"factors": await self._factors(storage, user_id), "device": device_name(client.user_agent)}
        token = OneTimeToken(
            id=token_id,
            purpose=PURPOSE,
            subject=token_id,
            user_id=user_id,
            digest=_digest(secret),
            code="",
            data=data,
            created_at=now,
            expires_at=now + self._ttl,
        )
        await storage.add_token(token)
        await self.auth.emit(events.DEVICE_TRUST, user_id=user_id, client=client)
        return SetCookie(COOKIE, secret, self._ttl)

    async def _factors(self, storage: Storage, user_id: str) -> str:
        """Return a digest of the second factors of a user: a changed set of them trusts no device."""
        credentials = await storage.credentials(user_id)
        ids = sorted(each.id for each in credentials if self.auth.second_factors.is_factor(each.kind))
        return hashlib.sha256(" ".join(ids).encode()).hexdigest()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
