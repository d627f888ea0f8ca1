"""An app that has used its `Auth` before the server forks its workers: `gunicorn --preload`."""

import asyncio
import json
import os

from starlette.types import Receive, Scope, Send

from asgi_auth import Argon2, Auth, AuthMiddleware, Passwords, Sessions, Settings
from tests.support import EMAIL, PASSWORD

auth = Auth(
    os.environ["AUTH_DATABASE_URL"],
    settings=Settings(secret=os.environ["AUTH_SECRET"]),
    features=[Passwords(argon2=Argon2.cheap(), workers=1), Sessions()],
)


async def seed() -> None:
    """Make the account, and leave the connections open, as a script does that forgets to close."""
    await auth[Passwords].register(email=EMAIL, password=PASSWORD)
    await auth[Passwords].login(email=EMAIL, password=PASSWORD)


async def process(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer which process this is, and the id of the user."""
    body = json.dumps({"process": os.getpid(), "user": scope["user"].id}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


asyncio.run(seed())
app = AuthMiddleware(process, auth, mount="/auth")
