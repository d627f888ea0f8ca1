"""better-auth-server, the Python port of Better Auth, with FastAPI, SQLite and its rate limits."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from better_auth import BetterAuth, EmailAndPassword, RateLimit
from better_auth.adapters.sqlalchemy import SQLAlchemyAdapter
from better_auth.integrations.fastapi import BetterAuthFastAPI
from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import create_async_engine


async def send_reset(*_: Any) -> None:
    """Send no mail."""


adapter = SQLAlchemyAdapter(create_async_engine(f"sqlite+aiosqlite:///{os.environ['COMPARISON_FILE']}"))
auth = BetterAuth(
    secret=os.environ["COMPARISON_SECRET"],
    base_url=os.environ["COMPARISON_URL"],
    adapter=adapter,
    email_and_password=EmailAndPassword(enabled=True, send_reset_password=send_reset),
    rate_limit=RateLimit(enabled=True),
)
glue = BetterAuthFastAPI(auth)


@asynccontextmanager
async def tables(_: FastAPI) -> AsyncIterator[None]:
    await adapter.create_tables()
    yield


app = FastAPI(lifespan=tables)
app.include_router(glue.router)


@app.get("/open")
async def public() -> str:
    return "ok"


@app.get("/closed")
async def closed(found: Annotated[dict[str, Any], Depends(glue.require_session)]) -> str:
    return str(found["user"]["id"])
