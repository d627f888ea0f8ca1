"""Administration: invitations are mailed again."""

from asgi_auth.accounts.authority import WRITE
from asgi_auth.accounts.invitations import InvitationService
from asgi_auth.errors import RateLimitedError, UserExistsError
from asgi_auth.feature import Client, Endpoint, Identity, Line, post
from asgi_auth.features.admin.answers import AdminUser
from asgi_auth.features.admin.base import ERRORS, AdminBase
from asgi_auth.model import event_types as events
from asgi_auth.model.limits import Rule

#: Seconds between two invitations of one user: an impatient administrator does not fill a mailbox.
PAUSE = 60


class Inviting(AdminBase):
    """The part of administration that invites users again."""

    @property
    def endpoints(self) -> list[Endpoint]:
        """The endpoints; without a mailer and the feature `Invitations`, there are no invitations."""
        auth = vars(self).get("auth")
        invites = auth is None or (auth.letters.can_send and auth.get(InvitationService) is not None)
        return [endpoint for endpoint in super().endpoints if invites or endpoint.name != "invite_user"]

    @post(
        "/users/{id}/invite",
        permission=WRITE,
        fresh=True,
        second_factor=True,
        event=events.USER_CHANGE,
        errors=(*ERRORS, UserExistsError, RateLimitedError),
    )
    async def invite_user(
        self,
        *,
        id: Line,  # noqa: A002 (a field of the API)
        identity: Identity,
        client: Client = Client(),
    ) -> AdminUser:
        """Mail another invitation to a user without a password, at most once a minute. The earlier link is void.

        It gives the roles of the open invitation, which needs `users:roles` as well.
        """
        user = await self.auth.users.get(id)
        token = await self.auth[InvitationService].open(self.auth.storage, user.id)
        left = token.created_at + PAUSE - self.auth.now() if token is not None else 0
        if left > 0:
            raise RateLimitedError(int(left) + 1, Rule("account", PAUSE, 1))
        by = self._by(identity, WRITE)
        return AdminUser.of(await self.auth.users.invite_again(user.id, by=by, client=client))
