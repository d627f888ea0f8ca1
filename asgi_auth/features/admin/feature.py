"""Administration over HTTP, with impersonation."""

from collections.abc import Container
from contextlib import suppress

from asgi_auth.errors import BadRequestError, ForbiddenError
from asgi_auth.feature import (
    Call,
    Client,
    Ending,
    Endpoint,
    Event,
    Identity,
    Line,
    SetCookie,
    TokenPair,
    TokenText,
    post,
)
from asgi_auth.features.admin.access import Access
from asgi_auth.features.admin.answers import Stopped
from asgi_auth.features.admin.base import IMPERSONATION_ERRORS
from asgi_auth.features.admin.editing import Editing
from asgi_auth.features.admin.inviting import Inviting
from asgi_auth.features.admin.overview import Overview
from asgi_auth.features.admin.pages import AdminPages
from asgi_auth.features.admin.reading import Reading
from asgi_auth.model import event_types as events
from asgi_auth.sessions.acting import IMPERSONATE, TTL

#: The cookie that keeps the refresh token of an administrator who acts for a user in the browser.
COOKIE = "admin"


class Admin(Reading, Overview, Editing, Inviting, Access, AdminPages):
    """Endpoints for administrators.

    Users with `role` have the permissions `users:read`, `users:write`, `users:roles` and `users:impersonate`, unless
    the setting `permissions` says what roles give. All endpoints but those that only read want a fresh login, and with
    `second_factor` a second factor of every administrator; without it, only of those who have one. Administrators give
    no permission that they lack, and act neither on users with a permission that they lack nor on themselves.
    """

    observes: Container[str] | None = (events.SESSION_END, events.ROLE_CHANGE)

    @post(
        "/users/{id}/impersonate",
        permission=IMPERSONATE,
        fresh=True,
        second_factor=True,
        event=events.IMPERSONATE,
        errors=IMPERSONATION_ERRORS,
    )
    async def impersonate(
        self,
        *,
        id: Line,  # noqa: A002 (a field of the API)
        refresh_token: TokenText = "",  # noqa: ARG002 (the cookie of a browser, which `after` parks)
        identity: Identity,
        client: Client = Client(),
    ) -> TokenPair:
        """Act for a user for an hour, without a refresh token; every event names you."""
        return await self.auth.impersonation.begin(self._by(identity, IMPERSONATE), identity, id, client)

    @post("/stop-impersonating", acting="always", ends_session=True, errors=(ForbiddenError,), also=(Stopped,))
    async def stop_impersonating(
        self, *, parked: TokenText = "", identity: Identity, client: Client = Client()
    ) -> TokenPair | Stopped:
        """Act for yourself again. In a browser, your own session comes back, and is no fresh login."""
        return await self.auth.impersonation.stop(identity, parked, client) or Stopped()

    def takes_part(self, endpoint: Endpoint) -> bool:
        """Tell whether an endpoint parks the session of an administrator, or may leave a parked one behind."""
        return endpoint.gives_tokens or endpoint.ends_session

    async def after(self, call: Call, ending: Ending) -> None:
        """Park the refresh token of the administrator's browser; end it after all that changes who is logged in."""
        if ending != "done":
            return
        token = call.values.get("refresh_token") if call.endpoint.name == "impersonate" else None
        session = await self.auth.session_of(token) if token and call.identity.transport == "cookie" else None
        if token and session is not None and session.id == call.identity.session_id:
            lasts = min(TTL, session.expires_at - int(self.auth.now()))
            call.cookies.append(SetCookie(COOKIE, token, max(0, lasts), "strict"))
        elif COOKIE in call.client.cookies and not _goes_on(call):
            with suppress(BadRequestError):  # several values: the site of a sibling domain has set another one
                if call.endpoint.name != "stop_impersonating":
                    await self.auth.impersonation.end_parked(call.client.cookies[COOKIE], call.client)
            call.cookies.append(SetCookie(COOKIE, "", 0))

    async def observe(self, event: Event) -> None:
        """End the impersonations of an administrator whose session or right has ended, and report the end."""
        await self.auth.impersonation.observe(event)


def _goes_on(call: Call) -> bool:
    """Tell whether an administrator who acts for a user does so after a call that may give tokens to others."""
    return call.identity.actor is not None and call.endpoint.acting == "always" and not call.endpoint.ends_session
