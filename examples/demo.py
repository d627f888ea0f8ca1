"""The demo: accounts and sessions on http://127.0.0.1:8000, with SQLite or whatever AUTH_DATABASE_URL names."""

import os
import secrets
from typing import Any

import uvicorn

from asgi_auth import Auth, AuthMiddleware, Settings, current_user

PORT = int(os.environ.get("PORT", "8000"))
URL = f"http://127.0.0.1:{PORT}"
CURL = f"""
  curl {URL}/auth/register --json '{{"email": "me@example.com", "password": "correct horse battery"}}'
  curl {URL}/auth/login --json '{{"email": "me@example.com", "password": "correct horse battery"}}'
  curl {URL}/ -H 'Authorization: Bearer <access_token of the login>'
"""


async def hello(scope: Any, _receive: Any, send: Any) -> None:
    """Greet whoever is asking."""
    if scope["type"] == "http":
        body = f"Hello, {current_user().id or 'stranger'}\n".encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": body})


settings = Settings(secret=os.environ.get("AUTH_SECRET") or secrets.token_urlsafe(48), base_url=URL, development=True)
auth = Auth(os.environ.get("AUTH_DATABASE_URL", "sqlite:///demo.db"), settings=settings)
app = AuthMiddleware(hello, auth, mount="/auth")

if __name__ == "__main__":
    print(f"asgi_auth demo on {URL} - try:\n{CURL}", flush=True)  # noqa: T201 (the demo talks)
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
