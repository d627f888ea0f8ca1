"""The demo: pages, accounts, and mails at http://127.0.0.1:8000. Data is in SQLite, or in AUTH_DATABASE_URL if set."""

import os
import secrets
from html import escape
from typing import Any

import uvicorn

from asgi_auth import Auth, AuthMiddleware, MagicLink, Outbox, Pages, Settings, current_user
from asgi_auth.features.defaults import defaults

PORT = int(os.environ.get("PORT", "8000"))
URL = f"http://127.0.0.1:{PORT}"
HELLO = f"""asgi_auth demo: open {URL}/auth/register in a browser. All mails are shown at {URL}/dev/mail. Or use curl:

  curl {URL}/auth/register --json '{{"email": "me@example.com", "password": "correct horse battery"}}'
  curl {URL}/auth/login --json '{{"email": "me@example.com", "password": "correct horse battery"}}'
  curl {URL}/ -H 'Authorization: Bearer <access_token of the login>'
"""
PAGE = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>{title}</title>
<body style="font: 1rem/1.6 system-ui; max-width: 42rem; margin: 3rem auto; padding: 0 1rem"><h1>{title}</h1>{body}"""
outbox = Outbox()


def home() -> str:
    """Return the start page: a greeting, and links to the other pages."""
    paths = ["auth/account", "auth/login", "auth/register", "dev/mail"]
    links = " · ".join(f'<a href="/{path}">{path}</a>' for path in paths)
    return PAGE.format(title=f"Hello, {escape(current_user().id or 'stranger')}", body=links)


def mailbox() -> str:
    """Return a page with all mails, newest first."""
    shown = [
        f"<h2>{escape(mail.subject)}</h2><p>To {escape(mail.to)} "
        + (f'<a href="{escape(mail.link)}">Open the link</a>' if mail.link else "")
        + f'<pre style="white-space: pre-wrap">{escape(mail.text)}</pre>'
        for mail in reversed(outbox.mails)
    ]
    waiting = '<meta http-equiv="refresh" content="2"><p>No mails yet. This page reloads automatically.'
    return PAGE.format(title="Mails", body="".join(shown) or waiting)


async def host(scope: Any, _receive: Any, send: Any) -> None:
    """Serve the two pages of the demo."""
    if scope["type"] == "http":
        body = mailbox() if scope["path"] == "/dev/mail" else home()
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})


secret = os.environ.get("AUTH_SECRET") or secrets.token_urlsafe(48)
# With "tell", a registration completes at once instead of after a mail: three curl commands suffice.
settings = Settings(secret=secret, base_url=URL, development=True, enumeration="tell")
features = [*defaults(mail=True), MagicLink(), Pages(after_login="account")]
database = os.environ.get("AUTH_DATABASE_URL", "sqlite:///demo.db")
auth = Auth(database, settings=settings, features=features, mailer=outbox)
app = AuthMiddleware(host, auth, mount="/auth")

if __name__ == "__main__":
    print(HELLO, flush=True)  # noqa: T201 (the output of the demo)
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
