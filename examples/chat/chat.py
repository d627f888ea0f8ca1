"""A chat: websockets over Litestar that know their user, and are closed when the session ends. Messages are in memory.

`AUTH_SECRET=… uvicorn --app-dir examples/chat chat:app` serves it.
"""

import os
from pathlib import Path
from typing import Any

from litestar import Litestar, MediaType, WebSocket, get, websocket
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.memory import MemoryChannelsBackend
from litestar.static_files import create_static_files_router

from asgi_auth import Auth, BrowserClient, Identity, Pages, Settings, Usernames
from asgi_auth.features.defaults import defaults
from asgi_auth.hosts.litestar import AuthPlugin, login_required

HERE = Path(__file__).parent
HEADERS = {"content-security-policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'"}
ROOM = "room"
channels = ChannelsPlugin(MemoryChannelsBackend(history=50), channels=[ROOM])


@get("/", guards=[login_required], media_type=MediaType.HTML, response_headers=HEADERS, sync_to_thread=False)
def page() -> str:
    return (HERE / "index.html").read_text("utf-8")


@websocket("/room", guards=[login_required])
async def talk(socket: WebSocket[Identity, Identity, Any]) -> None:
    name = (await socket.user.load()).data["username"]
    await socket.accept()
    async with (
        channels.start_subscription(ROOM, history=50) as messages,
        messages.run_in_background(socket.send_text, join=False),
    ):
        async for text in socket.iter_data("text"):
            channels.publish({"by": name, "text": text[:500]}, ROOM)


base_url = os.environ.get("AUTH_BASE_URL", "http://localhost:8000")
settings = Settings(
    secret=os.environ["AUTH_SECRET"],
    base_url=base_url,
    development=base_url.startswith("http:"),
    enumeration="tell",
    name="Chat",
)
auth = Auth(
    os.environ.get("AUTH_DATABASE_URL", "sqlite:///chat.db"),
    settings=settings,
    features=[*defaults(mail=False), Usernames(required=True), Pages(accent="#0f766e"), BrowserClient()],
)
static = create_static_files_router("/static", [HERE / "static"])
app = Litestar([page, talk, static], plugins=[AuthPlugin(auth, mount="/auth"), channels])
