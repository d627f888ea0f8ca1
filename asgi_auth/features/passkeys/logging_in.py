"""Passkeys at a login: alone, as a second factor, and to prove a live session again."""

from asgi_auth.errors import InvalidPasskeyError, PendingLoginExpiredError
from asgi_auth.feature import Client, Identity, TokenPair, TokenText, post
from asgi_auth.features.passkeys.answers import PasskeyOptions
from asgi_auth.features.passkeys.base import LIMITS, LOGIN, OPTIONS_LIMITS, RENEW, SECOND, PasskeyBase
from asgi_auth.features.passkeys.credentials import KIND, method_of
from asgi_auth.features.passkeys.options import request
from asgi_auth.features.passkeys.sent import Text, UsedPasskey, challenge_of, read
from asgi_auth.model import event_types as events
from asgi_auth.sessions.identity import MFA


class LoggingIn(PasskeyBase):
    """The endpoints that take a known passkey."""

    @post("/login/passkey/options", limits=OPTIONS_LIMITS, errors=(PendingLoginExpiredError,))
    async def passkey_login_options(self, *, pending: TokenText = "") -> PasskeyOptions:
        """Get what a browser needs to log in with a passkey, or to finish a pending login by one.

        Without a pending login, the options are the same for everyone: no address is asked for.
        """
        if not pending:
            return PasskeyOptions(options=request(self.party, self.challenges.make(LOGIN), verified=True))
        found = await self.auth.pending.find(pending)
        own = await self.auth.storage.credentials(found.user_id, KIND) if self.is_second_factor else []
        challenge = self.challenges.make(SECOND, found.token_id)
        return PasskeyOptions(options=request(self.party, challenge, own, verified=False))

    @post(
        "/login/passkey",
        logs_in=True,
        limits=LIMITS,
        event=events.LOGIN,
        errors=(InvalidPasskeyError, PendingLoginExpiredError),
    )
    async def passkey_login(
        self, *, credential: UsedPasskey | Text, pending: TokenText = "", client: Client = Client()
    ) -> TokenPair:
        """Log in with a passkey, or finish a login by one. The options say which: they are for one of both."""
        sent = read(credential, UsedPasskey)
        # A browser may have the cookie of a pending login that its user has left.
        if not pending or self.challenges.fits(challenge_of(sent.response.client_data), LOGIN):
            user, proven, use = await self._used(sent, LOGIN, client=client)
            return await self._log_in(user, proven, use, client)
        if not self.is_second_factor:
            raise PendingLoginExpiredError
        async with self.auth.pending.attempt(pending) as found:
            _, proven, use = await self._used(
                sent, SECOND, found.token_id, client=client, user_id=found.user_id, verified=False
            )
            await self.auth.emit(events.FACTOR_CHECK, user_id=found.user_id, client=client, data={"kind": KIND})
            return await self.auth.pending.finish(found, (method_of(use),), client, proven)

    @post("/reauthenticate/passkey/options", limits=OPTIONS_LIMITS)
    async def reauthenticate_passkey_options(self, *, identity: Identity) -> PasskeyOptions:
        """Get what a browser needs to prove a passkey again."""
        own = await self.auth.storage.credentials(identity.id, KIND)
        challenge = self.challenges.make(RENEW, identity.session_id)
        return PasskeyOptions(options=request(self.party, challenge, own, verified=True))

    @post("/reauthenticate/passkey", limits=LIMITS, event=events.REAUTHENTICATE, errors=(InvalidPasskeyError,))
    async def reauthenticate_by_passkey(
        self, *, credential: UsedPasskey | Text, identity: Identity, client: Client = Client()
    ) -> TokenPair:
        """Prove a passkey again, for actions that need a fresh login."""
        sent = read(credential, UsedPasskey)
        _, proven, use = await self._used(sent, RENEW, identity.session_id, client=client, user_id=identity.id)
        return await self.auth.renew(identity, amr=(method_of(use), MFA), client=client, factor=proven)
