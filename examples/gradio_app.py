"""Gradio: the functions of events know the user who sends them, and are guarded."""

import os
from collections.abc import Iterator

import gradio as gr
from fastapi import FastAPI, WebSocket

from asgi_auth import Auth, AuthMiddleware, current_user
from asgi_auth.hosts import fastapi
from asgi_auth.hosts.gradio import login_required, require, with_user

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


@login_required
def greet(name: str) -> Iterator[str]:
    yield "…"
    yield f"Hello {name}, you are {current_user().id}"


with gr.Blocks() as demo:
    box, shown = gr.Textbox(), gr.Textbox()
    demo.load(with_user(lambda: current_user().id or "anonymous"), None, shown)
    gr.Button("Greet").click(greet, box, shown, api_name="greet")
    gr.Button("Payroll").click(require(roles="admin")(lambda: "secret"), None, shown, api_name="payroll")
auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(gr.mount_gradio_app(host, demo, path="/ui"), auth, mount="/auth")
