"""asgi_auth with FastAPI, SQLite, its defaults with mail, and 20 users."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from asgi_auth import Auth, AuthMiddleware, Outbox
from asgi_auth.hosts.fastapi import CurrentUser, install

auth = Auth(f"sqlite:///{os.environ['COMPARISON_FILE']}", secret=os.environ["COMPARISON_SECRET"], mailer=Outbox())


@asynccontextmanager
async def users(_: FastAPI) -> AsyncIterator[None]:
    """Create the users, whose addresses are verified."""
    for number in range(20):
        user = await auth.users.create(email=f"user{number}@example.com", password=os.environ["COMPARISON_PASSWORD"])
        await auth.users.set_verified(user.id)
    yield


api = FastAPI(lifespan=users)
install(api)


@api.get("/open")
async def public() -> str:
    return "ok"


@api.get("/closed")
async def closed(user: CurrentUser) -> str:
    return user.id


app = AuthMiddleware(api, auth, mount="/auth")
