"""The passkeys of a user: add, list, rename, delete."""

from typing import Annotated

import msgspec

from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.errors import (
    EmailNotVerifiedError,
    FactorExistsError,
    InvalidPasskeyError,
    LastWayInError,
    NotFoundError,
    PasskeyExistsError,
    PendingLoginExpiredError,
    TooManyPasskeysError,
)
from asgi_auth.feature import (
    REFUSED_SETUPS,
    Client,
    Credential,
    Identity,
    Line,
    TokenText,
    User,
    delete,
    get,
    patch,
    post,
)
from asgi_auth.features.passkeys.answers import AddedPasskey, Passkey, PasskeyList, PasskeyOptions
from asgi_auth.features.passkeys.base import CREATE, LIMITS, PasskeyBase
from asgi_auth.features.passkeys.ceremonies import created
from asgi_auth.features.passkeys.credentials import KIND, credential_of, methods_of, plain_name
from asgi_auth.features.passkeys.options import accepted, creation
from asgi_auth.features.passkeys.sent import NewPasskey, Text, challenge_of, read
from asgi_auth.model import event_types as events
from asgi_auth.model.user_agent import device_name
from asgi_auth.sessions.identity import ANONYMOUS

#: A name that a user gives to a passkey.
Name = Annotated[str, msgspec.Meta(max_length=64, examples=["My phone"])]
NewName = Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["My phone"])]
#: The errors of a caller that adds a passkey.
ADDING_ERRORS = (*REFUSED_SETUPS, FactorExistsError, TooManyPasskeysError)


class Managing(PasskeyBase):
    """The endpoints with which users manage their passkeys."""

    @get("/passkeys")
    async def passkeys(self, *, identity: Identity) -> PasskeyList:
        """List your passkeys."""
        user = await identity.load()
        found = await self.auth.storage.credentials(user.id, KIND)
        return PasskeyList(passkeys=[Passkey.of(each) for each in found], accepted=accepted(self.party, user, found))

    @post("/passkeys/options", limits=LIMITS, errors=(*ADDING_ERRORS, EmailNotVerifiedError))
    async def passkey_options(self, *, pending: TokenText = "", identity: Identity | None = None) -> PasskeyOptions:
        """Get what a browser needs to make a passkey. Nothing is stored until the passkey comes back."""
        user, holder = await self._owner(pending, identity)
        if self.auth.get(RegistrationService) is not None and not user.email_verified:
            raise EmailNotVerifiedError
        own = await self.auth.storage.credentials(user.id, KIND)
        if len(own) >= self._most:
            raise TooManyPasskeysError
        challenge = self.challenges.make(CREATE, user.id, holder, await self.auth.factors.state(user))
        return PasskeyOptions(options=creation(self.party, user.id, user.email, challenge, own))

    @post(
        "/passkeys",
        status=201,
        logs_in=True,
        limits=LIMITS,
        event=events.FACTOR_ADD,
        errors=(*ADDING_ERRORS, InvalidPasskeyError, PasskeyExistsError),
    )
    async def add_passkey(
        self,
        *,
        credential: NewPasskey | Text,
        name: Name = "",
        pending: TokenText = "",
        identity: Identity | None = None,
        client: Client = Client(),
    ) -> AddedPasskey:
        """Add a passkey. The session counts as proven by it; a pending login ends with a session."""
        sent = read(credential, NewPasskey)
        if not pending:
            caller = await self._proven(identity)
            added = await self._add(await caller.load(), caller.session_id, sent, name, client)
            tokens = await self.auth.renew(caller, amr=methods_of(added), client=client, factor=added)
            return AddedPasskey(passkey=Passkey.of(added), tokens=tokens)
        self._check_setup()
        async with self.auth.pending.attempt(pending, setup=True) as found:
            user = await self.auth.pending.user(found)
            added = await self._add(user, found.token_id, sent, name, client, is_first=True)
            tokens = await self.auth.pending.finish(found, methods_of(added)[:1], client, added)
            return AddedPasskey(passkey=Passkey.of(added), tokens=tokens)

    @patch("/passkeys/{id}", errors=(NotFoundError,))
    async def rename_passkey(self, *, id: Line, name: NewName, identity: Identity) -> Passkey:  # noqa: A002 (a field)
        """Give a passkey another name."""
        now = int(self.auth.now())
        while True:
            found = [each for each in await self.auth.storage.credentials(identity.id, KIND) if each.id == id]
            if not found:
                raise NotFoundError("There is no such passkey.")
            data = {**found[0].data, "name": plain_name(name) or found[0].data["name"]}
            # A concurrent login may have noted its counter.
            renamed = await self.auth.storage.change_credential(found[0], data=data, now=now)
            if renamed is not None:
                return Passkey.of(renamed)

    @delete(
        "/passkeys/{id}",
        status=204,
        fresh=True,
        second_factor=True,
        event=events.FACTOR_REMOVE,
        errors=(NotFoundError, LastWayInError),
    )
    async def delete_passkey(self, *, id: Line, identity: Identity, client: Client = Client()) -> None:  # noqa: A002
        """Delete a passkey. Recovery codes go with the last second factor."""
        async with self.auth.storage.transaction() as storage:
            # The passkey before the user, as a login locks them: one order of locks prevents deadlocks.
            deleted = await storage.delete_credential(identity.id, id)
            if deleted is None or deleted.kind != KIND:
                raise NotFoundError("There is no such passkey.")
            user = await self.auth.ways_in.keep_one(storage, identity.id, int(self.auth.now()))
            await self.auth.factors.removed(storage, user)
        await self.auth.emit(events.FACTOR_REMOVE, user_id=identity.id, client=client, data={"kind": KIND})

    async def _owner(self, pending: str, identity: Identity | None) -> tuple[User, str]:
        """Return the user that adds a passkey, and the id of its session or of its pending login."""
        if not pending:
            caller = await self._proven(identity)
            return await caller.load(), caller.session_id
        self._check_setup()
        found = await self.auth.pending.find(pending, setup=True)
        return await self.auth.pending.user(found), found.token_id

    def _check_setup(self) -> None:
        """Raise PendingLoginExpiredError where a passkey is no second factor, and so finishes no setup."""
        if not self.is_second_factor:
            raise PendingLoginExpiredError

    async def _proven(self, identity: Identity | None) -> Identity:
        """Return the identity of a caller with a fresh login, and with a fresh second factor where it has one.

        Not an option of the endpoints: a browser that finishes a pending login may still have the cookies of another.
        """
        caller = (identity or ANONYMOUS).require()
        await self.auth.pipeline.admission.prove(caller)
        return caller

    async def _add(
        self, user: User, holder: str, sent: NewPasskey, name: str, client: Client, *, is_first: bool = False
    ) -> Credential:
        """Store a new passkey; `is_first`: only for a user without factors."""
        challenge = challenge_of(sent.response.client_data)
        if not self.challenges.fits(challenge, CREATE, user.id, holder, await self.auth.factors.state(user)):
            raise InvalidPasskeyError
        new = created(self.party, sent)
        credential = credential_of(user.id, new, plain_name(name) or device_name(client.user_agent), self.auth.now())
        if not await self.challenges.use(challenge):
            raise InvalidPasskeyError
        async with self.auth.storage.transaction() as storage:
            if not await self.auth.factors.lock(storage, user.id, holder, is_first=is_first):
                raise InvalidPasskeyError
            if len(await storage.credentials(user.id, KIND)) >= self._most:
                raise TooManyPasskeysError
            if not await storage.add_credential(credential):
                raise PasskeyExistsError
        await self.auth.emit(events.FACTOR_ADD, user_id=user.id, client=client, data={"kind": KIND})
        return credential
