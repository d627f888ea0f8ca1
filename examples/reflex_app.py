"""Reflex: the events of a state know the user, and `api_transformer` serves the auth routes beside the backend."""

import os

import reflex as rx
from fastapi import FastAPI, WebSocket

from asgi_auth import Auth, AuthMiddleware, current_user
from asgi_auth.hosts import fastapi
from asgi_auth.hosts.reflex import user_of

host = FastAPI()
fastapi.install(host)
host.get("/who")(lambda: {"user": current_user().id or None})
host.get("/admin", dependencies=[fastapi.require(roles="admin")])(lambda: {"user": current_user().id})
host.post("/note")(lambda: {"noted": True})


@host.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(current_user().id)
    await websocket.receive_text()


class Asking(rx.State):
    """A state with an event that tells who asks."""

    user: str = ""

    @rx.event
    def ask(self) -> None:
        self.user = user_of(app, self).id or "anonymous"


auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = rx.App(api_transformer=[host, lambda web: AuthMiddleware(web, auth, mount="/auth")])
app.add_page(lambda: rx.button(Asking.user, on_click=Asking.ask), route="/")
