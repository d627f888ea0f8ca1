"""Who the user of a login at a provider is: issuer and subject name an account, and an address never does alone."""

from collections.abc import Callable
from copy import deepcopy

from msgspec.structs import replace

from asgi_auth.accounts.links import Link
from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.auth import Auth
from asgi_auth.errors import InvalidCredentialsError, ValidationError
from asgi_auth.feature import Client, Credential, Identity, Requested, TokenPair, User, new_id
from asgi_auth.features.oidc.errors import (
    EmailNeededError,
    IdentityTakenError,
    InvalidLoginStateError,
    LinkNeededError,
    RegistrationClosedError,
)
from asgi_auth.features.oidc.profile import Profile
from asgi_auth.features.oidc.providers import Provider
from asgi_auth.model import event_types as events
from asgi_auth.validation.email_address import Address, parse_email

KIND = "oidc"


class _TakenError(Exception):
    """The address or the identity was taken a moment ago."""


class SigningIn:
    """Finds, links or makes the account of a login, and starts its session."""

    def __init__(self, auth: Auth, *, sign_up: bool, link: bool) -> None:
        """Take the settings of the feature."""
        self._auth = auth
        self._sign_up = sign_up
        self._link = link

    async def enter(self, provider: Provider, profile: Profile, client: Client) -> TokenPair | Requested:
        """Log in, or mail the code of a registration. Raises the refusals of logins and of this feature."""
        try:
            return await self._enter(provider, profile, client)
        except _TakenError:
            # Two logins of a new user at once: the other one has made the account.
            return await self._enter(provider, profile, client)

    async def _enter(self, provider: Provider, profile: Profile, client: Client) -> TokenPair | Requested:
        auth = self._auth
        found = await auth.storage.find_credential(KIND, profile.identifier)
        if found is not None:
            user, credential = found
            return await auth.login(user, credential, amr=("fed",), client=client)
        address = self._address(profile)
        is_proven = profile.email_verified and provider.speaks_for_addresses
        known = await auth.storage.user_by_email(address.canonical)
        if known is None or (auth.conceals and not is_proven):
            # An address that is only claimed must not tell whether it has an account: its owner gets a notice.
            return await self._register(provider, profile, address, client, is_proven=is_proven)
        if not is_proven or (known.email_verified and not self._link):
            raise LinkNeededError().about(known.id)
        link = Link(credential=self._credential(provider, profile, known.id), email_canonical=address.canonical)
        try:
            return await auth.login(known, link.credential, amr=("fed",), client=client, link=link)
        except InvalidCredentialsError:
            if await auth.storage.find_credential(KIND, profile.identifier) is not None:
                raise _TakenError from None
            raise

    async def link(self, provider: Provider, profile: Profile, identity: Identity, client: Client) -> None:
        """Link an account at a provider to a user, in the session that has begun it.

        Raises IdentityTakenError when it is linked to another user, and InvalidLoginStateError when the session has
        ended meanwhile.
        """
        storage, now = self._auth.storage, int(self._auth.now())
        async with storage.transaction() as inside:
            user = await inside.update_user(identity.id, {}, now)
            session = await inside.session(identity.session_id)
            if user is None or user.status != "active" or session is None or session.revoked_at is not None:
                raise InvalidLoginStateError
            if not await inside.add_credential(self._credential(provider, profile, user.id)):
                found = await inside.find_credential(KIND, profile.identifier)
                if found is None or found[0].id != user.id:
                    raise IdentityTakenError
                return
        data = {"provider": provider.name}
        await self._auth.emit(events.IDENTITY_LINK, user_id=identity.id, client=client, data=data)

    def _address(self, profile: Profile) -> Address:
        """Return the address of a profile. Raises EmailNeededError without one that an account can have."""
        try:
            return parse_email(profile.email, public=not self._auth.settings.private_addresses)
        except ValidationError:
            raise EmailNeededError from None

    async def _register(
        self, provider: Provider, profile: Profile, address: Address, client: Client, *, is_proven: bool
    ) -> TokenPair | Requested:
        auth = self._auth
        if not self._sign_up:
            raise RegistrationClosedError
        user = self._new_user(address, is_verified=is_proven)
        credential = self._credential(provider, profile, user.id)
        registration = auth.get(RegistrationService)
        if registration is not None and not is_proven:
            return await registration.start(user, credential, client)
        async with auth.storage.transaction() as storage:
            added = await auth.users.add(storage, user)
            if added is None:
                raise _TakenError
            credential = replace(credential, user_id=added.id)
            if not await storage.add_credential(credential):
                raise _TakenError
            if registration is not None:
                await registration.void(storage, added.email_canonical)
        await auth.emit(events.REGISTER, user_id=added.id, client=client)
        if is_proven:
            await auth.emit(events.EMAIL_VERIFY, user_id=added.id, client=client)
        return await auth.login(added, credential, amr=("fed",), client=client)

    def _new_user(self, address: Address, *, is_verified: bool) -> User:
        now = self._auth.now()
        return User(
            id=new_id(now),
            email=address.display,
            email_canonical=address.canonical,
            email_verified=is_verified,
            data={item.name: deepcopy(item.default) for item in self._auth.settings.fields},
            created_at=int(now),
            updated_at=int(now),
        )

    def _credential(self, provider: Provider, profile: Profile, user_id: str) -> Credential:
        return credential_of(provider, profile, user_id, self._auth.now)


def credential_of(provider: Provider, profile: Profile, user_id: str, now: Callable[[], float]) -> Credential:
    """Return the credential of an account at a provider."""
    return Credential(
        id=new_id(now()),
        user_id=user_id,
        kind=KIND,
        identifier=profile.identifier,
        secret="",
        data={"provider": provider.name, "email": profile.email[:254], "name": profile.label},
        created_at=int(now()),
        updated_at=int(now()),
    )
