"""Who the user of a login at a provider is: issuer and subject name an account, and an address never does alone."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from asgi_auth.accounts.links import Link
from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.accounts.secret_tokens import new_token
from asgi_auth.auth import Auth
from asgi_auth.errors import InvalidCredentialsError, ValidationError
from asgi_auth.feature import Client, Credential, Identity, Requested, TokenPair, User, new_id
from asgi_auth.features.oidc.errors import (
    EmailNeededError,
    FieldsNeededError,
    IdentityTakenError,
    InvalidLoginStateError,
    LinkNeededError,
    RegistrationClosedError,
    SignUpIncompleteError,
)
from asgi_auth.features.oidc.keeping import KeptTokens
from asgi_auth.features.oidc.profile import Profile
from asgi_auth.features.oidc.providers import Provider
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import RequestedAtLogin
from asgi_auth.storage import Storage
from asgi_auth.validation.email_address import Address, parse_email
from asgi_auth.validation.reasons import Reason

KIND = "oidc"
#: The purpose of the tokens of sign-ups that are not complete, and seconds that each lives.
SIGN_UP_PURPOSE, SIGN_UP_TTL = "oidc_sign_up", 600


class _TakenError(Exception):
    """The address or the identity was taken a moment ago."""


class Typed(NamedTuple):
    """What a user has typed to complete a sign-up: an address or none, extra fields; and the id of its token."""

    email: str
    data: Mapping[str, object]
    token_id: str


@dataclass(frozen=True)
class Entrance:
    """A login at a provider: what the provider says, the client, and what the user has typed to complete a sign-up."""

    provider: Provider
    profile: Profile
    client: Client
    typed: Typed | None = None

    def proves(self, address: Address, mine: Address | None) -> bool:
        """Tell whether the provider has verified an address; `mine` is the one that it has named."""
        is_named = mine is not None and mine.canonical == address.canonical
        return is_named and self.profile.email_verified and self.provider.speaks_for_addresses


class SigningIn:
    """Finds, links or makes the account of a login, and starts its session."""

    def __init__(self, auth: Auth, kept: KeptTokens, *, sign_up: bool, link: bool) -> None:
        """Take the settings of the feature."""
        self._auth = auth
        self._kept = kept
        self._sign_up = sign_up
        self._link = link

    async def enter(self, provider: Provider, profile: Profile, client: Client) -> TokenPair | Requested:
        """Log in, or mail the code of a registration. Raises the refusals of logins and of this feature.

        A sign-up that lacks something raises EmailNeededError or FieldsNeededError, with the secret that completes it.
        """
        return await self.complete(Entrance(provider, profile, client))

    async def complete(self, entrance: Entrance) -> TokenPair | Requested:
        """Do the same with what the user has typed. Raises InvalidLoginStateError when the sign-up was completed."""
        try:
            return await self._enter(entrance)
        except _TakenError:
            # Two logins of a new user at once: the other one has made the account.
            return await self._enter(entrance)

    async def _enter(self, entrance: Entrance) -> TokenPair | Requested:
        auth = self._auth
        profile, client = entrance.profile, entrance.client
        found = await auth.storage.find_credential(KIND, profile.identifier)
        if found is not None and entrance.typed is not None:
            raise InvalidLoginStateError
        if found is not None:
            user, credential = found
            await self._kept.keep(credential, profile)
            return await auth.login(user, credential, amr=("fed",), client=client)
        address, is_proven = self._address(entrance)
        if address is None:
            raise await self._needed(EmailNeededError, entrance)
        known = await auth.storage.user_by_email(address.canonical)
        if known is None or (auth.conceals and not is_proven):
            # An address that is only claimed must not tell whether it has an account: its owner gets a notice.
            return await self._register(entrance, address, is_proven=is_proven)
        if not is_proven or (known.email_verified and not self._link):
            raise LinkNeededError().about(known.id)
        return await self._log_in_and_link(entrance, known, address)

    async def _log_in_and_link(self, entrance: Entrance, known: User, address: Address) -> TokenPair:
        """Log in to the account of a proven address; the link is stored once every factor was shown."""
        auth = self._auth
        await self._use_up(auth.storage, entrance)
        made = self._credential(entrance, known.id)
        kept = self._kept.credential(made, entrance.profile)
        link = Link(credential=made, kept=kept, email_canonical=address.canonical)
        try:
            return await auth.login(known, link.credential, amr=("fed",), client=entrance.client, link=link)
        except InvalidCredentialsError:
            if entrance.typed is None and await self._is_linked(entrance.profile):
                raise _TakenError from None
            raise

    async def _is_linked(self, profile: Profile) -> bool:
        return await self._auth.storage.find_credential(KIND, profile.identifier) is not None

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
            made = credential_of(provider, profile, user.id, self._auth.now)
            if not await inside.add_credential(made):
                found = await inside.find_credential(KIND, profile.identifier)
                if found is None or found[0].id != user.id:
                    raise IdentityTakenError
                return
            if (kept := self._kept.credential(made, profile)) is not None:
                await inside.add_credential(kept)
        data = {"provider": provider.name}
        await self._auth.emit(events.IDENTITY_LINK, user_id=identity.id, client=client, data=data)

    def _address(self, entrance: Entrance) -> tuple[Address | None, bool]:
        """Return the address of the account, and whether it is proven: the typed one, else that of the provider.

        Raises ValidationError for a typed one that no account can have; None stands for such a one of the provider.
        """
        is_public = not self._auth.settings.private_addresses
        try:
            named = parse_email(entrance.profile.email, public=is_public)
        except ValidationError:
            named = None
        typed = entrance.typed.email if entrance.typed is not None else ""
        address = parse_email(typed, public=is_public) if typed else named
        return address, address is not None and entrance.proves(address, named)

    async def _needed(self, kind: type[SignUpIncompleteError], entrance: Entrance) -> Exception:
        """Keep what the provider has said, and return the error that asks for the rest."""
        if not self._sign_up:
            return RegistrationClosedError()
        if entrance.typed is not None:
            return ValidationError({"email": [Reason("missing")]})
        data = {"provider": entrance.provider.name, "profile": msgspec.to_builtins(entrance.profile)}
        token, secret = new_token(SIGN_UP_PURPOSE, None, data, now=int(self._auth.now()), seconds=SIGN_UP_TTL)
        await self._auth.storage.add_token(token)
        missing = ["email"] if kind is EmailNeededError else []
        return kind([*missing, *self._required()], secret, SIGN_UP_TTL)

    def _required(self) -> list[str]:
        """Return the names of the extra fields that every registration needs."""
        return [item.name for item in self._auth.settings.fields if item.required and item.write != "admin"]

    async def _register(self, entrance: Entrance, address: Address, *, is_proven: bool) -> TokenPair | Requested:
        auth = self._auth
        client = entrance.client
        if not self._sign_up:
            raise RegistrationClosedError
        if entrance.typed is None and self._required():
            raise await self._needed(FieldsNeededError, entrance)
        user = self._new_user(entrance, address, is_verified=is_proven)
        await auth.users.unique_values.check_public(auth.storage, user.data)
        credential = self._credential(entrance, user.id)
        registration = auth.get(RegistrationService)
        if registration is not None and not is_proven:
            asked = await registration.start(user, credential, client, amr=("fed",))
            return RequestedAtLogin(request=asked.request, expires_in=asked.expires_in, name=address.display)
        async with auth.storage.transaction() as storage:
            await self._use_up(storage, entrance)
            added = await auth.users.add(storage, user)
            if added is None:
                raise _TakenError
            credential = replace(credential, user_id=added.id)
            if not await storage.add_credential(credential):
                raise _TakenError
            if (kept := self._kept.credential(credential, entrance.profile)) is not None:
                await storage.add_credential(kept)
            if registration is not None:
                await registration.void(storage, added.email_canonical)
        await auth.emit(events.REGISTER, user_id=added.id, client=client)
        if is_proven:
            await auth.emit(events.EMAIL_VERIFY, user_id=added.id, client=client)
        return await auth.login(added, credential, amr=("fed",), client=client)

    async def _use_up(self, storage: Storage, entrance: Entrance) -> None:
        """Use the token of a completed sign-up, in the transaction that makes the account: one of many calls does."""
        typed = entrance.typed
        if typed is not None and not await storage.use_token(typed.token_id, int(self._auth.now())):
            raise InvalidLoginStateError

    def _new_user(self, entrance: Entrance, address: Address, *, is_verified: bool) -> User:
        now = self._auth.now()
        fields = {item.name: deepcopy(item.default) for item in self._auth.settings.fields}
        return User(
            id=new_id(now),
            email=address.display,
            email_canonical=address.canonical,
            email_verified=is_verified,
            data=fields | dict(entrance.typed.data if entrance.typed is not None else {}),
            created_at=int(now),
            updated_at=int(now),
        )

    def _credential(self, entrance: Entrance, user_id: str) -> Credential:
        return credential_of(entrance.provider, entrance.profile, user_id, self._auth.now)


def credential_of(provider: Provider, profile: Profile, user_id: str, now: Callable[[], float]) -> Credential:
    """Return the credential of an account at a provider."""
    return Credential(
        id=new_id(now()),
        user_id=user_id,
        kind=KIND,
        identifier=profile.identifier,
        secret="",
        data={"provider": provider.name, "email": profile.email, "name": profile.label},
        created_at=int(now()),
        updated_at=int(now()),
    )
