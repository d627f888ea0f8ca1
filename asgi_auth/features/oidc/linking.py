"""The accounts at providers that belong to a user: linked, listed and unlinked."""

from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.errors import EmailNotVerifiedError, LastWayInError, NotFoundError, ProviderUnavailableError
from asgi_auth.feature import Client, Identity, Line, delete, get, post
from asgi_auth.features.oidc.answers import BegunAtProvider, LinkedAccount, LinkedAccountList, ProviderUrl
from asgi_auth.features.oidc.base import LIMITS, OIDCBase
from asgi_auth.features.oidc.signing_in import KIND
from asgi_auth.model import event_types as events


class Linking(OIDCBase):
    """The endpoints with which users manage their accounts at providers."""

    @post(
        "/oidc/{provider}/link",
        fresh=True,
        second_factor=True,
        limits=LIMITS,
        errors=(NotFoundError, EmailNotVerifiedError, ProviderUnavailableError),
    )
    async def oidc_link(self, *, provider: Line, identity: Identity, client: Client = Client()) -> ProviderUrl:
        """Begin to link an account at a provider to yours: send the browser to the `url`."""
        self._connection(provider)
        if self.auth.get(RegistrationService) is not None and not (await identity.load()).email_verified:
            # Else the owner of the address, who takes the account over, would find a login of a stranger.
            raise EmailNotVerifiedError
        flow = self._flows.begin(provider, "account", session=identity.session_id)
        return BegunAtProvider(url=await self._way_to(provider, flow), cookies=flow.set_cookies(client.cookies))

    @get("/identities")
    async def identities(self, *, identity: Identity) -> LinkedAccountList:
        """List your linked accounts at providers."""
        found = await self.auth.storage.credentials(identity.id, KIND)
        accounts = [LinkedAccount.of(each, reauthenticates=bool(self.way_of(each))) for each in found]
        return LinkedAccountList(identities=accounts, providers=self._shown())

    @delete(
        "/identities/{id}",
        status=204,
        fresh=True,
        second_factor=True,
        event=events.IDENTITY_UNLINK,
        errors=(NotFoundError, LastWayInError),
    )
    async def unlink(self, *, id: Line, identity: Identity, client: Client = Client()) -> None:  # noqa: A002
        """Unlink an account at a provider: it no longer logs in. The last way to log in stays."""
        async with self.auth.storage.transaction() as storage:
            known = {each.id: each for each in await storage.credentials(identity.id, KIND)}
            if id not in known or await storage.delete_credential(identity.id, id) is None:
                raise NotFoundError
            await self.auth.ways_in.keep_one(storage, identity.id, int(self.auth.now()))
            await self._kept.drop(storage, known[id])
        data = {"provider": known[id].data.get("provider", "")}
        await self.auth.emit(events.IDENTITY_UNLINK, user_id=identity.id, client=client, data=data)
