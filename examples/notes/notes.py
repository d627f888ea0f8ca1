"""Notes: a single-page app over FastAPI. `AUTH_SECRET=… uvicorn --app-dir examples/notes notes:app` serves it."""

import os
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from pydantic import BaseModel

from asgi_auth import Auth, AuthMiddleware, BrowserClient, Settings
from asgi_auth.features.defaults import defaults
from asgi_auth.hosts.fastapi import CurrentUser, install

HERE = Path(__file__).parent
HEADERS = {"content-security-policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'"}
api = FastAPI()
install(api)
notes: dict[str, list[str]] = {}


class Note(BaseModel):
    """What a user writes."""

    text: str


@api.get("/api/notes")
async def read(user: CurrentUser) -> list[str]:
    return notes.get(user.id, [])


@api.post("/api/notes", status_code=201)
async def write(note: Note, user: CurrentUser) -> list[str]:
    notes.setdefault(user.id, []).append(note.text)
    return notes[user.id]


@api.get("/")
async def page() -> FileResponse:
    return FileResponse(HERE / "index.html", headers=HEADERS)


@api.get("/notes.js")
async def script() -> FileResponse:
    return FileResponse(HERE / "notes.js", media_type="text/javascript")


base_url = os.environ.get("AUTH_BASE_URL", "http://localhost:8000")
settings = Settings(
    secret=os.environ["AUTH_SECRET"], base_url=base_url, development=base_url.startswith("http:"), transport="cookie"
)
auth = Auth(
    os.environ.get("AUTH_DATABASE_URL", "sqlite:///notes.db"),
    settings=settings,
    features=[*defaults(mail=False), BrowserClient()],
)
app = AuthMiddleware(api, auth, mount="/auth")
