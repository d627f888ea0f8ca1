"""What all endpoints of passkeys share: the settings, and the check of a passkey that was used."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from asgi_auth.auth import Auth
from asgi_auth.errors import InvalidCredentialsError, InvalidPasskeyError
from asgi_auth.feature import Client, Credential, Factor, Feature, TokenPair, User
from asgi_auth.features.passkeys.ceremonies import Used, used
from asgi_auth.features.passkeys.challenges import Challenges
from asgi_auth.features.passkeys.credentials import KIND, method_of, noted_in
from asgi_auth.features.passkeys.relying_party import RelyingParty
from asgi_auth.features.passkeys.sent import UsedPasskey, challenge_of
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.numbers import check_whole

LIMITS = "30/m/ip, 300/h/ip"
#: Pages ask for new options while they are open.
OPTIONS_LIMITS = "120/m/ip, 1200/h/ip"
#: The purposes of challenges: each endpoint accepts those of its own.
CREATE, LOGIN, SECOND, RENEW, SIGN_UP = "create", "login", "second factor", "reauthenticate", "sign up"
#: The event of a passkey whose counter went back.
CLONE = "passkey_clone"
#: How often a use is noted again, when another use of the same passkey was noted meanwhile.
TRIES = 32
#: Seconds in which the time of the last use is not noted again.
QUIET = 60


class PasskeyBase(Feature):
    """The settings of passkeys, and the check of one that was used."""

    room: ClassVar[Path | None] = Path(__file__).parent

    @checks_options
    def __init__(
        self,
        *,
        sign_up: bool = False,
        second_factor: bool = True,
        rp_id: str | None = None,
        most: int = 20,
        android_origins: Sequence[str] = (),
    ) -> None:
        """Take the settings. Raises ValueError."""
        check_whole(1, 100, most=most)
        self.allows_sign_up: bool = sign_up
        self.is_second_factor: bool = second_factor
        self.factor_kinds: Mapping[str, Factor] = {KIND: Factor("passkey")} if second_factor else {}
        self._rp_id = rp_id
        self._most = most
        self._android_origins = android_origins

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`. Raises ValueError without a domain that passkeys can belong to."""
        super().attach(auth)
        settings = auth.settings
        self.party: RelyingParty = RelyingParty(settings, self._rp_id, self._android_origins)
        self.challenges: Challenges = Challenges(auth.keys, auth.storage, settings.leeway, auth.now)

    async def _used(
        self,
        sent: UsedPasskey,
        purpose: str,
        *bound: str,
        client: Client,
        user_id: str | None = None,
        verified: bool = True,
    ) -> tuple[User, Credential, Used]:
        """Return the user and the credential of a passkey that was used for a purpose, and how it was used.

        Nothing but the passkey names the user without `user_id`. `verified`: the user must have been verified. Raises
        InvalidPasskeyError.
        """
        challenge = challenge_of(sent.response.client_data)
        if not self.challenges.fits(challenge, purpose, *bound):
            raise InvalidPasskeyError
        found = await self.auth.storage.find_credential(KIND, sent.id)
        if found is None:
            raise self._unknown(sent)
        user, credential = found
        try:
            # The user may be another one.
            handle_of = user_id or user.id
            use = used(self.party, sent, credential.secret, handle_of, bare=user_id is None, verified=verified)
            await self._use_up(challenge, is_owner=user.id == handle_of)
            return user, await self._noted(credential, use, client), use
        except InvalidPasskeyError as error:
            error.about(user_id or user.id)
            raise

    async def _use_up(self, challenge: bytes, *, is_owner: bool) -> None:
        """Use a challenge up, after all checks: no stranger writes marks. Raises InvalidPasskeyError."""
        if not is_owner or not await self.challenges.use(challenge):
            raise InvalidPasskeyError

    async def _noted(self, credential: Credential, use: Used, client: Client) -> Credential:
        """Note the use of a passkey. Raises InvalidPasskeyError for a copied one, and for one that was deleted.

        Only the counter of a passkey that stays in its device tells a copy (WebAuthn Level 3, 6.1.1). A passkey may
        become one that can be backed up, and never the reverse (6.1.3).
        """
        now, storage = int(self.auth.now()), self.auth.storage
        current: Credential | None = credential
        for _ in range(TRIES):
            if current is None or (current.data["eligible"] and not use.eligible):
                raise InvalidPasskeyError
            if not use.eligible and (use.counter or current.data["count"]) and use.counter <= current.data["count"]:
                await self._report_copy(current, client)
                raise InvalidPasskeyError
            data = noted_in(current.data, use)
            if data == current.data or (current := await storage.change_credential(current, data=data, now=now)):
                await storage.use_credential(credential.id, now, QUIET)
                return current
            current = await self._again(credential)
        raise InvalidPasskeyError

    async def _report_copy(self, credential: Credential, client: Client) -> None:
        await self.auth.emit(
            CLONE, outcome="failure", user_id=credential.user_id, client=client, data={"credential": credential.id}
        )

    async def _again(self, credential: Credential) -> Credential | None:
        """Return a credential as it is stored by now."""
        found = await self.auth.storage.find_credential(KIND, credential.identifier)
        return found[1] if found is not None and found[1].id == credential.id else None

    async def _log_in(self, user: User, credential: Credential, use: Used, client: Client) -> TokenPair:
        """Start a session for a passkey that was used with a verified user: it is two factors at once."""
        current: Credential | None = credential
        while current is not None:
            tried = current
            try:
                return await self.auth.login(user, tried, amr=(method_of(use), "mfa"), client=client)
            except InvalidCredentialsError:
                # Deleted meanwhile; or the counter of another use was noted, and the key is the same.
                current = await self._again(tried)
                if current is not None and current.version == tried.version:
                    break
        raise InvalidPasskeyError().about(user.id)

    def _unknown(self, sent: UsedPasskey) -> InvalidPasskeyError:
        """Return the error of a passkey that no account has; only the page of the browser that sent it is told."""
        error = InvalidPasskeyError()
        signal = {"rpId": self.party.id, "credentialId": sent.id}
        error.for_script = {"unknown": json.dumps(signal)}
        return error
