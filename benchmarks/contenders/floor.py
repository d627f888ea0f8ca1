"""Floors: the least that a login and a refresh can cost, written by hand, with HTTP body, hash and JWT, all in process.

What any library does beyond that (checks, hooks, limits, problem answers) is on top. Variants name how they are stored:
one statement or one transaction on PostgreSQL, a thread that writes to SQLite (synchronous=FULL) with or without group
commit.
"""

import secrets
import time
from typing import Any

import argon2
import jwt
import msgspec

from benchmarks.contenders import base
from benchmarks.contenders.floor_stores import STORES, Store

HASHER = argon2.PasswordHasher(1, 8, 1)


class Floor(base.Contender):
    """An ASGI app with nothing but the work itself."""

    async def open(self) -> None:
        """Make the table of sessions and of users."""
        self.store: Store = STORES[self.options.variant](self.options.database)
        rows = [(str(number), base.email_of(number)) for number in range(self.options.users)]
        await self.store.open(HASHER.hash(base.PASSWORD), rows if self.options.seed else [])
        self.app = self._app

    async def close(self) -> None:
        """Close the store."""
        await self.store.close()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        body = msgspec.json.decode((await receive())["body"])
        now = int(time.time())
        if scope["path"] == "/login":
            user_id, hashed = await self.store.user(body["email"])
            HASHER.verify(hashed, body["password"])
            session_id, generation = secrets.token_hex(16), 0
            await self.store.add_session(session_id, user_id, now)
        else:
            session_id, _, number = body["refresh_token"].partition(".")
            generation = int(number) + 1
            user_id = await self.store.rotate(session_id, generation - 1, now)
        content = msgspec.json.encode(self._pair(user_id, session_id, generation, now))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _pair(self, user_id: str, session_id: str, generation: int, now: int) -> dict[str, str]:
        claims = {"sub": user_id, "sid": session_id, "iat": now, "exp": now + 900}
        token = jwt.encode(claims, base.SECRET, "HS256")
        return {"access_token": token, "refresh_token": f"{session_id}.{generation}"}

    def login(self, number: int) -> base.Request:
        """Log in by turns."""
        email = base.email_of(number % self.options.users)
        return base.json_request("/login", {"email": email, "password": base.PASSWORD}, number)

    def refresh(self, answer: bytes, number: int) -> base.Request:
        """Use the refresh token of the answer before."""
        return base.json_request("/refresh", {"refresh_token": base.parsed(answer)["refresh_token"]}, number)


make = Floor
