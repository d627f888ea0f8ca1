"""A bare PyJWT decode: what a token costs at the least when nothing is remembered. No app, no revocation."""

import time
from typing import Any

import jwt

from benchmarks.contenders import base
from benchmarks.contenders.ours import answer


class PyJWT(base.Contender):
    """Decodes the token of a request, and calls the bare app."""

    async def open(self) -> None:
        """Nothing is kept."""
        self.bare = answer

        async def app(scope: Any, receive: Any, send: Any) -> None:
            token = next(value for name, value in scope["headers"] if name == b"authorization")[7:]
            jwt.decode(token, base.SECRET, ["HS256"], audience="asgi-auth", issuer="asgi-auth")
            await answer(scope, receive, send)

        self.app = app

    async def requests(self, kind: str, count: int) -> list[base.Request]:
        """Tokens with the claims that ours have."""
        now = int(time.time())
        claims = {
            "iss": "asgi-auth", "aud": "asgi-auth", "sub": "01900000-0000-7000-8000-000000000001",
            "sid": "01900000-0000-7000-8000-000000000000", "jti": "0123456789abcdef", "iat": now, "exp": now + 900,
            "auth_time": now, "amr": ["pwd"], "roles": ["user"],
        }  # fmt: skip
        token = jwt.encode(claims, base.SECRET, "HS256", headers={"typ": "at+jwt", "kid": "0123456789"})
        return [base.Request("GET", "/", base.bearer(token))] * count


make = PyJWT
