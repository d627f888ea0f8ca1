"""The programs that a user has let in: the list, and the way to disconnect one."""

from collections.abc import Sequence
from typing import ClassVar

from asgi_auth.errors import NotFoundError
from asgi_auth.feature import Client, Credential, Form, Identity, Line, Section, delete, get
from asgi_auth.features.authorization_server.answers import ConnectedApp, ConnectedApps
from asgi_auth.features.authorization_server.base import AuthorizationServerBase
from asgi_auth.features.authorization_server.events import CONSENT_WITHDRAW
from asgi_auth.features.authorization_server.grants import KIND


class Connections(AuthorizationServerBase):
    """The list of connected programs, and its section of the account page."""

    sections: ClassVar[Sequence[Section]] = (
        Section(name="connected_apps", endpoint="connected_apps", order=45, loads=True, group="devices"),
    )
    forms: ClassVar[Sequence[Form]] = (
        Form(endpoint="disconnect", page="account", after="account", said="disconnected"),
    )

    @get("/connected-apps")
    async def connected_apps(self, *, identity: Identity) -> ConnectedApps:
        """List the programs that you have let in."""
        found = await self.auth.storage.credentials(identity.id, KIND)
        return ConnectedApps(apps=[self._app(each) for each in found])

    def _app(self, grant: Credential) -> ConnectedApp:
        client_id, host = str(grant.data.get("client", "")), str(grant.data.get("host", ""))
        return ConnectedApp(
            id=grant.id,
            name=str(grant.data.get("name", "")) or host or "localhost",
            host=host,
            verified=self._clients.standing(client_id, host) != "unverified",
            scopes=grant.data.get("scopes", {}),
            created_at=grant.created_at,
            used_at=grant.used_at,
        )

    @delete("/connected-apps/{id}", status=204, event=CONSENT_WITHDRAW, errors=(NotFoundError,))
    async def disconnect(self, *, id: Line, identity: Identity, client: Client = Client()) -> None:  # noqa: A002
        """Disconnect a program: all its sessions end."""
        now = int(self.auth.now())
        found = [each for each in await self.auth.storage.credentials(identity.id, KIND) if each.id == id]
        if not found:
            raise NotFoundError
        # The grant first: a concurrent code then gives no session, or one that ends here.
        async with self.auth.storage.transaction() as storage:
            await storage.delete_credential(identity.id, id)
            ended = await storage.end_sessions(identity.id, now, grant_id=id)
        await self.auth.sessions.ended(identity.id, ended, client)
        data = {"app": str(found[0].data.get("name", ""))}
        await self.auth.emit(
            CONSENT_WITHDRAW, user_id=identity.id, session_id=identity.session_id, client=client, data=data
        )
