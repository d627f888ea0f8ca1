"""Falcon: an error handler answers the errors of `require`."""

import os

from falcon.asgi import App, Request, Response, WebSocket

from asgi_auth import Auth, AuthError, AuthMiddleware, current_user, problem, require


class Pages:
    """The routes of the example."""

    async def on_get_who(self, _: Request, response: Response) -> None:
        response.media = {"user": current_user().id or None}

    async def on_get_admin(self, request: Request, response: Response) -> None:
        response.media = {"user": require(request.scope, roles="admin").id}

    async def on_post_note(self, _: Request, response: Response) -> None:
        response.media = {"noted": True}

    async def on_websocket_socket(self, _: Request, socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(current_user().id)
        await socket.receive_text()


async def refused(request: Request, response: Response, error: AuthError, _params: object) -> None:
    answer = problem(error, request.scope)
    response.status, response.data = answer.status_code, bytes(answer.body)
    response.set_headers(dict(answer.headers))


host = App()
host.add_error_handler(AuthError, refused)
for name in ("who", "admin", "note", "socket"):
    host.add_route(f"/{name}", Pages(), suffix=name)
auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(host, auth, mount="/auth")
