"""The app of the worker processes: the default features with a cheap hash, and a host that answers who asks."""

import json
import os
from typing import Any

from asgi_auth import Argon2, Auth, AuthMiddleware, Passwords, RedisCounters, Settings
from asgi_auth.features.defaults import defaults
from asgi_auth.storage.postgres import Postgres
from tests.ha import vitals

url, listen_url = os.environ["AUTH_DATABASE_URL"], os.environ.get("LISTEN_URL")
auth = Auth(
    Postgres(url, listen_dsn=listen_url) if listen_url else url,
    settings=Settings.from_env(auto_migrate=False, enumeration="tell"),
    counters=RedisCounters(os.environ["COUNTERS_URL"]) if os.environ.get("COUNTERS_URL") else None,
    features=defaults(mail=False, passwords=Passwords(argon2=Argon2.cheap())),
)


async def host(scope: Any, _receive: Any, send: Any) -> None:
    """Answer 200 to a user and to `/open`, 401 to others; `/vitals` is for the soak."""
    user, path = scope["user"], scope["path"]
    body: dict[str, Any] = {"user": user.id or None, "error": getattr(user.error, "code", None)}
    if path == "/vitals":
        body = vitals.of_process(auth)
    status = 200 if user.is_authenticated or path in {"/open", "/vitals"} else 401
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


app = AuthMiddleware(host, auth, mount="/auth")
