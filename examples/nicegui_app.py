"""NiceGUI: pages, timers and clicks know the user, and pages are guarded."""

import os

from fastapi import FastAPI, WebSocket
from nicegui import app as pages
from nicegui import ui

from asgi_auth import Auth, AuthMiddleware, current_user
from asgi_auth.hosts import fastapi

host = FastAPI()
fastapi.install(host)
fastapi.install(pages)
host.get("/who")(lambda: {"user": current_user().id or None})
host.get("/admin", dependencies=[fastapi.require(roles="admin")])(lambda: {"user": current_user().id})
host.post("/note")(lambda: {"noted": True})


@host.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(current_user().id)
    await websocket.receive_text()


@ui.page("/ui", dependencies=[fastapi.require()])
async def page() -> None:
    ui.label(f"page {current_user().id}")
    timed, clicked = ui.label(), ui.label()
    ui.timer(0.1, lambda: timed.set_text(f"timer {current_user().id}"))
    ui.button("Click", on_click=lambda: clicked.set_text(f"click {current_user().id or 'anonymous'}"))


ui.run_with(host)
auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(host, auth, mount="/auth")
