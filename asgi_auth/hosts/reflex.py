"""Reflex: `user_of`, the user of an event.

    auth = Auth(…)
    app = rx.App(api_transformer=lambda web: AuthMiddleware(web, auth, mount="/auth"))

    class Notes(rx.State):
        @rx.event
        def add(self) -> None:
            user = user_of(app, self).require()

Reflex runs events in workers of its own, where `current_user()` is anonymous. The user of an event is that of the
websocket that has sent it. The websocket is closed when the session ends, or the roles of the user change.
"""

from typing import Any

from asgi_auth.sessions.handover import identity_of
from asgi_auth.sessions.identity import ANONYMOUS, Identity

__all__ = ["user_of"]
#: The namespace of Reflex's websockets.
NAMESPACE = "/_event"


def user_of(app: Any, state: Any) -> Identity:
    """Return the user of the event that a state handles; anonymous for an event that no websocket has sent.

    `app` is the `rx.App`, `state` the state whose method is called.
    """
    environ = app.sio.get_environ(state.router.session.session_id, NAMESPACE)
    return identity_of(environ) if environ else ANONYMOUS
