"""A floor that does the same work as asgi_auth on PostgreSQL, by hand: the same statements, tables and tokens.

A refresh checks the MAC of its token, runs the statement of the library, and makes both tokens with all claims. A login
reads user and password in one statement, hashes in a thread, and writes session and network in one more. Statements
commit by themselves, as durable as the library's. Left out is what bounds, watches and explains: deadlines, the
breaker, the waiting line, hooks, limits, events and errors.
"""

import asyncio
import hmac
import re
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import argon2
import asyncpg
import jwt
import msgspec
from jwt.utils import base64url_encode

from asgi_auth.model.records import new_id
from asgi_auth.storage.postgres_connection import numbered
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.statements import credentials, networks, sessions
from benchmarks.contenders import base
from benchmarks.contenders.floor_stores import leave
from benchmarks.contenders.ours import Ours

HASHER = argon2.PasswordHasher(1, 8, 1)
TOKEN = re.compile(r"([0-9a-f-]{36})\.(0|[1-9][0-9]{0,8})\.[A-Za-z0-9_-]{43}")
KEY, HEADER = secrets.token_bytes(32), {"typ": "at+jwt", "kid": "0123456789"}
IDLE, LIFE, TTL, MONTHS = 30 * 86400, 90 * 86400, 900, 90 * 86400
MOST = 2**40
#: The network of a login, beside its session in one statement.
KNOWN = """, known AS (
    INSERT INTO {networks} (digest, user_id, expires_at)
    SELECT :digest, user_id, CAST(:months AS BIGINT) FROM added
    ON CONFLICT (digest) DO UPDATE SET user_id = EXCLUDED.user_id, expires_at = EXCLUDED.expires_at),
    dropped AS (%s)
    SELECT id FROM added"""


class Floor(Ours):
    """The endpoints for logins and refreshes, on tables and users of the library."""

    async def open(self) -> None:
        """Let the library make tables and users, and leave it aside."""
        await super().open()
        known = KNOWN % networks.DELETE_OLDEST_NETWORKS
        add = known.join(sessions.ADD_SESSION["postgresql"].rsplit("SELECT id FROM added", 1))
        storage = self.auth.storage
        assert isinstance(storage, SQLStorage)
        self._user, self._rotate, self._add = (
            numbered(storage.rendered(text))
            for text in (credentials.USER_WITH_CREDENTIAL, sessions.ROTATE_SESSION, add)
        )
        self._pool = await asyncpg.create_pool(self.options.database, min_size=0, max_size=10, reset=leave)
        self._threads = ThreadPoolExecutor(2)
        self.app = self._app

    async def close(self) -> None:
        """Close both pools."""
        await self._pool.close()
        await super().close()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        body, now = msgspec.json.decode((await receive())["body"]), int(time.time())
        if scope["path"] == "/auth/login":
            content = await self._login(body["email"], body["password"], scope, now)
        else:
            content = await self._refresh(body["refresh_token"], now)
        text = msgspec.json.encode(content)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
        headers += [(b"cache-control", b"no-store"), (b"vary", b"Origin")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    async def _fetch(self, statement: tuple[str, tuple[str, ...]], values: Mapping[str, object]) -> Any:
        text, names = statement
        return await self._pool.fetchrow(text, *(values[name] for name in names))

    async def _login(self, email: str, password: str, scope: Any, now: int) -> dict[str, object]:
        row = await self._fetch(self._user, {"canonical": email, "kind": "password"})
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, HASHER.verify, row["credential_secret"], password)
        address = scope["client"][0]
        digest = hmac.digest(KEY, f"{email}\0{address}".encode(), "sha256").hex()
        session = {
            "id": new_id(now), "user_id": row["id"], "generation": 0, "created_at": now, "last_used_at": now,
            "rotated_at": now, "expires_at": now + LIFE, "auth_time": now, "amr": '["pwd"]', "address": address,
            "user_agent": "Mozilla/5.0", "data": "{}", "grant_id": None,
        }  # fmt: skip
        proven = {"credential_id": row["credential_id"], "version": row["credential_version"], "room": MOST}
        known = {"digest": digest, "months": now + MONTHS, "most": 20, "batch": 100}
        added = await self._fetch(self._add, session | proven | known | {"factor_id": row["credential_id"]})
        return _pair(session | {"id": added["id"], "user_roles": row["roles"]}, now)

    async def _refresh(self, token: str, now: int) -> dict[str, object]:
        match = TOKEN.fullmatch(token)
        if match is None or not hmac.compare_digest(_refresh_token(match[1], int(match[2])), token):
            raise RuntimeError("not measured")
        values = {"session_id": match[1], "generation": int(match[2]), "now": now, "idle_since": now - IDLE}
        return _pair(await self._fetch(self._rotate, values | {"grant": False, "raise_by": 1}), now)


def _pair(session: Mapping[str, Any], now: int) -> dict[str, object]:
    """Make both tokens of a session."""
    claims = {
        "iss": "asgi-auth", "aud": "asgi-auth", "sub": session["user_id"], "sid": session["id"],
        "jti": secrets.token_urlsafe(12), "iat": now, "exp": min(now + TTL, session["expires_at"]),
        "auth_time": session["auth_time"], "amr": msgspec.json.decode(session["amr"]),
        "roles": msgspec.json.decode(session["user_roles"]), "gen": session["generation"],
    }  # fmt: skip
    return {
        "access_token": jwt.encode(claims, base.SECRET, "HS256", headers=HEADER),
        "refresh_token": _refresh_token(session["id"], session["generation"]),
        "token_type": "Bearer",
        "expires_in": claims["exp"] - now,
        "refresh_expires_in": min(session["expires_at"], session["last_used_at"] + IDLE) - now,
    }


def _refresh_token(session_id: str, generation: int) -> str:
    body = f"{session_id}.{generation}"
    return f"{body}.{base64url_encode(hmac.digest(KEY, body.encode(), 'sha256')).decode()}"


make = Floor
