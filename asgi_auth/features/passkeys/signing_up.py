"""Sign-up with a passkey: an account without a password."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from asgi_auth.accounts.registration import RegistrationService, new_user
from asgi_auth.errors import AuthError, InvalidPasskeyError, PasskeyExistsError, UserExistsError
from asgi_auth.feature import Client, Credential, Email, Endpoint, Line, Requested, User, UserInfo, new_id, post
from asgi_auth.features.passkeys.answers import SignUpOptions
from asgi_auth.features.passkeys.base import LIMITS, SIGN_UP, PasskeyBase
from asgi_auth.features.passkeys.ceremonies import created
from asgi_auth.features.passkeys.credentials import KIND, credential_of, methods_of
from asgi_auth.features.passkeys.options import creation
from asgi_auth.features.passkeys.sent import NewPasskey, Text, challenge_of, read
from asgi_auth.model import event_types as events
from asgi_auth.model.registration import Registration
from asgi_auth.model.user_agent import device_name
from asgi_auth.validation.email_address import Address, parse_email


class SigningUp(PasskeyBase):
    """The endpoints that make an account with a passkey, where `sign_up` allows it."""

    @property
    def endpoints(self) -> list[Endpoint]:
        """The endpoints, without those of the sign-up unless it is allowed."""
        own = {"passkey_sign_up_options", "passkey_sign_up"}
        return [item for item in super().endpoints if self.allows_sign_up or item.name not in own]

    @post("/register/passkey/options", partial=True, limits=LIMITS, errors=(UserExistsError,))
    async def passkey_sign_up_options(self, *, email: Email, **data: object) -> SignUpOptions:
        """Get what a browser needs to make the passkey of a new account. Nothing is stored.

        Extra fields may be sent to have them checked before the passkey is made.
        """
        address = await self._new_address(email)
        user_id = self._new_id()
        await self.auth.users.unique_values.check_public(self.auth.storage, data)
        challenge = self.challenges.make(SIGN_UP, address.canonical, user_id)
        return SignUpOptions(options=creation(self.party, user_id, address.display, challenge, []), request=user_id)

    @post(
        "/register/passkey",
        status=201,
        logs_in=True,
        limits="60/m/ip, 300/h/ip",
        event=events.REGISTER,
        errors=(UserExistsError, InvalidPasskeyError, PasskeyExistsError),
        also=(Requested,),
    )
    async def passkey_sign_up(
        self, *, email: Email, request: Line, credential: NewPasskey | Text, client: Client = Client(), **data: object
    ) -> Registration:
        """Register with a passkey in place of a password. Returns 202 and mails a code, or 201 without mail.

        The mail has no link: only the caller, who has the `request` of the answer, can finish the registration.
        """
        address = await self._new_address(email)
        sent = read(credential, NewPasskey)
        challenge = challenge_of(sent.response.client_data)
        if not self.challenges.fits(challenge, SIGN_UP, address.canonical, request):
            raise InvalidPasskeyError
        new = created(self.party, sent)
        user = new_user(self.auth.settings.fields, address, data, self.auth.now(), request)
        with self._forgets(sent):
            await self.auth.users.unique_values.check_public(self.auth.storage, user.data)
            if await self.auth.storage.find_credential(KIND, new.identifier) is not None:
                raise PasskeyExistsError
            if not await self.challenges.use(challenge):
                raise InvalidPasskeyError
            made = credential_of(user.id, new, device_name(client.user_agent), self.auth.now())
            return await self._register(user, made, client)

    async def _register(self, user: User, credential: Credential, client: Client) -> Registration:
        """Mail the code that makes the account, where the app verifies addresses; else make it at once."""
        registration = self.auth.get(RegistrationService)
        if registration is None:
            added = await self._add_user(user, credential, client)
            tokens = await self.auth.login(added, credential, amr=methods_of(credential), client=client)
            return Registration(user=UserInfo.of(added), tokens=tokens)
        # No account with a passkey before its address is proven: the owner of the address could not take it away.
        return Registration(verification=await registration.start(user, credential, client, amr=methods_of(credential)))

    async def _add_user(self, user: User, credential: Credential, client: Client) -> User:
        async with self.auth.storage.transaction() as storage:
            added = await self.auth.users.add(storage, user)
            if added is None:
                raise UserExistsError
            if not await storage.add_credential(credential):
                raise PasskeyExistsError
        await self.auth.emit(events.REGISTER, user_id=added.id, client=client)
        return added

    async def _new_address(self, email: str) -> Address:
        """Return an address. Raises UserExistsError for a known one where registrations tell of it."""
        address = parse_email(email, public=not self.auth.settings.private_addresses)
        if not self.auth.conceals and await self.auth.storage.user_by_email(address.canonical) is not None:
            raise UserExistsError
        return address

    def _new_id(self) -> str:
        """Return the id of a new user. Raises ValueError where the database assigns the ids of users itself.

        The user handle in the passkey follows from the id, and is made before the user.
        """
        user_id = new_id(self.auth.now())
        if not self.auth.storage.is_user_id(user_id):
            raise ValueError("Passkeys(sign_up=True) needs a users table whose ids the library makes")
        return user_id

    @contextmanager
    def _forgets(self, sent: NewPasskey) -> Iterator[None]:
        """Let the script of the page tell the device that a passkey whose registration was refused is of no use."""
        try:
            yield
        except AuthError as error:
            error.for_script = {"unknown": json.dumps({"rpId": self.party.id, "credentialId": sent.id})}
            raise
