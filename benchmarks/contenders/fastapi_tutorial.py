"""FastAPI as its tutorial does it: OAuth2PasswordBearer, PyJWT, a user from a dictionary."""

import time
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel

from benchmarks.contenders import base

USERS: dict[str, Any] = {"user0": {"username": "user0", "email": "user0@example.com", "disabled": False}}
scheme = OAuth2PasswordBearer(tokenUrl="token")


class User(BaseModel):
    """The tutorial's user."""

    username: str
    email: str
    disabled: bool


async def get_current_user(token: Annotated[str, Depends(scheme)]) -> User:
    """Decode the token and look the user up."""
    try:
        claims = jwt.decode(token, base.SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None
    return User(**USERS[claims["sub"]])


async def get_current_active_user(user: Annotated[User, Depends(get_current_user)]) -> User:
    """Refuse the disabled."""
    if user.disabled:
        raise HTTPException(400)
    return user


def plain() -> FastAPI:
    """Make the app without authentication."""
    app = FastAPI()

    @app.get("/")
    async def home() -> str:
        return "ok"

    return app


class Tutorial(base.Contender):
    """Tokens are believed until they expire; users are in memory."""

    operations = ()

    async def open(self) -> None:
        """Make the apps."""
        self.bare, self.app = plain(), FastAPI()

        @self.app.get("/")
        async def home(_user: Annotated[User, Depends(get_current_active_user)]) -> str:
            return "ok"

    async def requests(self, kind: str, count: int) -> list[base.Request]:
        """One token, again and again."""
        token = jwt.encode({"sub": "user0", "exp": int(time.time()) + 900}, base.SECRET, "HS256")
        return [base.Request("GET", "/", base.bearer(token))] * count


make = Tutorial
