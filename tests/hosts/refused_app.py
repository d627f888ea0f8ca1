"""A host that writes down its startup and shutdown, in front of a database that refuses the server."""

import os
from pathlib import Path
from typing import Any

from asgi_auth import Auth, AuthMiddleware

RECORD = Path(os.environ["TESTED_RECORD"])


def write(kind: str) -> None:
    with RECORD.open("a") as record:
        record.write(f"{kind}\n")


async def host(scope: Any, receive: Any, send: Any) -> None:
    """Take the lifespan, and answer requests."""
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{kind}"
            write(kind)
            await send({"type": f"lifespan.{kind}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"up"})


app = AuthMiddleware(host, Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"]), mount="/auth")
