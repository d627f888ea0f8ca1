"""The demo: pages, accounts and sessions on http://127.0.0.1:8000, with SQLite or what AUTH_DATABASE_URL names."""

import os
import secrets
from typing import Any

import uvicorn

from asgi_auth import Auth, AuthMiddleware, Pages, Passwords, Sessions, Settings, current_user

PORT = int(os.environ.get("PORT", "8000"))
URL = f"http://127.0.0.1:{PORT}"
CURL = f"""
  {URL}/auth/account in a browser, or
  curl {URL}/auth/register --json '{{"email": "me@example.com", "password": "correct horse battery"}}'
  curl {URL}/auth/login --json '{{"email": "me@example.com", "password": "correct horse battery"}}'
  curl {URL}/ -H 'Authorization: Bearer <access_token of the login>'
"""


async def hello(scope: Any, _receive: Any, send: Any) -> None:
    """Greet whoever is asking, and say where the pages are."""
    if scope["type"] == "http":
        place = "account" if current_user().is_authenticated else "login"
        body = f'Hello, {current_user().id or "stranger"}. <a href="/auth/{place}">Go to the {place} page</a>.\n'
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})


settings = Settings(secret=os.environ.get("AUTH_SECRET") or secrets.token_urlsafe(48), base_url=URL, development=True)
features = [Passwords(), Sessions(), Pages(after_login="account")]
auth = Auth(os.environ.get("AUTH_DATABASE_URL", "sqlite:///demo.db"), settings=settings, features=features)
app = AuthMiddleware(hello, auth, mount="/auth")

if __name__ == "__main__":
    print(f"asgi_auth demo on {URL} - try:\n{CURL}", flush=True)  # noqa: T201 (the demo talks)
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
