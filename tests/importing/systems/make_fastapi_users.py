"""Makes `fastapi_users.sql`: a database of fastapi-users, by its own code; README.md says what must be installed."""

import asyncio
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi_users import BaseUserManager, UUIDIDMixin, schemas
from fastapi_users.password import PasswordHelper
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from pwdlib import PasswordHash
from pwdlib.hashers.bcrypt import BcryptHasher
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

PASSWORD = "correct horse battery"


class Base(DeclarativeBase):
    """The tables."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    """The table of users, with a column of the app."""

    city: Mapped[str | None] = mapped_column(default=None)


class Create(schemas.BaseUserCreate):
    """A registration."""

    city: str | None = None


class Manager(UUIDIDMixin, BaseUserManager[Any, UUID]):
    """As in the documentation."""


async def main(path: Path) -> None:
    """Register users."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with async_sessionmaker(engine)() as session:
        users: Any = SQLAlchemyUserDatabase(session, User)
        bcrypt = PasswordHelper(PasswordHash((BcryptHasher(rounds=6),)))
        ada = Create(email="ada@example.com", password=PASSWORD, is_superuser=True, is_verified=True, city="London")
        await Manager(users).create(ada)
        await Manager(users, bcrypt).create(Create(email="Bob@Example.com", password=PASSWORD))
        await Manager(users).create(Create(email="carol@example.com", password=PASSWORD, is_active=False))
    await engine.dispose()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder) / "users.db"))
        with sqlite3.connect(Path(folder) / "users.db") as made:
            sys.stdout.write("\n".join(made.iterdump()) + "\n")
