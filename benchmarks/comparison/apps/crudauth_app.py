"""crudauth with its cookie sessions, SQLite and 20 users; counters in memory, its default."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from crudauth import CRUDAuth, Principal
from crudauth.models import AuthUserMixin
from crudauth.utils.hashing import get_password_hash
from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

engine = create_async_engine(f"sqlite+aiosqlite:///{os.environ['COMPARISON_FILE']}")
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """Tables."""


class User(Base, AuthUserMixin):
    """The user of the example."""

    __tablename__ = "users"


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


auth: Any = CRUDAuth(
    session=get_session,
    user_model=User,
    SECRET_KEY=os.environ["COMPARISON_SECRET"],
)


@asynccontextmanager
async def users(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    secret = get_password_hash(os.environ["COMPARISON_PASSWORD"])
    async with sessions() as session:
        for number in range(20):
            name = f"user{number}"
            session.add(User(username=name, email=f"{name}@example.com", hashed_password=secret, email_verified=True))
        await session.commit()
    await auth.initialize()
    yield
    await auth.shutdown()


app = FastAPI(lifespan=users)
app.include_router(auth.router)


@app.get("/open")
async def public() -> str:
    return "ok"


@app.get("/closed")
async def closed(me: Annotated[Principal, Depends(auth.current_user())]) -> str:
    return str(me.user_id)
