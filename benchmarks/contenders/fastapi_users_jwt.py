"""fastapi-users with SQLAlchemy and JWT, as its full example; PostgreSQL by asyncpg, SQLite by aiosqlite."""

import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users.password import PasswordHelper
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from benchmarks.contenders import base
from benchmarks.contenders.calls import checked
from benchmarks.contenders.fastapi_tutorial import plain

CHEAP = PasswordHelper(PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))


class Base(DeclarativeBase):
    """Tables."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    """The user of the example."""


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    """The manager of the example."""

    reset_password_token_secret = base.SECRET
    verification_token_secret = base.SECRET


class Read(schemas.BaseUser[uuid.UUID]):
    """What is told of a user."""


class Create(schemas.BaseUserCreate):
    """What a registration takes."""


def address(url: str) -> str:
    """The URL as SQLAlchemy's asyncio drivers have it."""
    if not url:
        return "sqlite+aiosqlite://"
    return url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")


class FastAPIUsersContender(base.Contender):
    """The user is loaded for each request; there is no refresh, and a token can't be revoked."""

    operations = ("login",)

    async def open(self) -> None:
        """Make tables, apps and users."""
        engine = create_async_engine(address(self.options.database))
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        helper = None if self.options.variant == "real" else CHEAP

        async def get_session() -> AsyncIterator[AsyncSession]:
            async with sessions() as session:
                yield session

        async def get_user_db(session: Annotated[AsyncSession, Depends(get_session)]) -> AsyncIterator[object]:
            yield SQLAlchemyUserDatabase(session, User)

        async def get_manager(users: Annotated[object, Depends(get_user_db)]) -> AsyncIterator[UserManager]:
            yield UserManager(users, helper)

        self._wire(get_manager)
        for number in range(self.options.users if self.options.seed else 0):
            content = {"email": base.email_of(number), "password": base.PASSWORD}
            with contextlib.suppress(RuntimeError):
                await checked(self.app, base.json_request("/auth/register", content))

    def _wire(self, get_manager: object) -> None:
        transport = BearerTransport(tokenUrl="auth/login")
        backend = AuthenticationBackend("jwt", transport, lambda: JWTStrategy(base.SECRET, lifetime_seconds=900))
        users = FastAPIUsers[User, uuid.UUID](get_manager, [backend])
        self.bare, self.app = plain(), FastAPI()
        self.app.include_router(users.get_auth_router(backend), prefix="/auth")
        self.app.include_router(users.get_register_router(Read, Create), prefix="/auth")

        @self.app.get("/", dependencies=[Depends(users.current_user(active=True))])
        async def home() -> str:
            return "ok"

        @self.app.get("/open")
        async def probed() -> str:
            return "ok"

    async def requests(self, kind: str, count: int) -> list[base.Request]:
        """One token, again and again."""
        token = base.parsed(await checked(self.app, self.login(0)))["access_token"]
        return [base.Request("GET", "/", base.bearer(token))] * count

    def login(self, number: int) -> base.Request:
        """Log in by turns."""
        email = base.email_of(number % self.options.users).replace("@", "%40")
        password = base.PASSWORD.replace(" ", "+")
        return base.form_request("/auth/login", f"username={email}&password={password}", number)


make = FastAPIUsersContender
