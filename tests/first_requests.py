"""A process of its own: an `Auth` that has just started serves its first requests; prints what they import.

Only what is imported in the loop's thread is told: there every other request waits for it.
"""

import asyncio
import json
import sys
import threading
from typing import Any

from asgi_auth import Argon2, Auth, AuthMiddleware, MagicLink, OpenAPI, Outbox, Pages, Passwords, Settings
from asgi_auth.features.defaults import defaults

ACCOUNT = {"email": "ada@example.com", "password": "correct horse battery"}
HTML = {"accept": "text/html", "accept-language": "de"}
FORM = HTML | {"content-type": "application/x-www-form-urlencoded", "origin": "https://app.example.com"}
imported: list[str] = []
answers: dict[str, int] = {}


def note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "import" and threading.current_thread() is threading.main_thread():
        imported.append(arguments[0])


async def host(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def ask(app: Any, method: str, path: str, body: Any = b"", **headers: str) -> Any:
    """Send a request: an object as JSON, bytes as they are."""
    if not isinstance(body, bytes):
        body, headers["content-type"] = json.dumps(body).encode(), "application/json"
    pairs = [(name.encode(), value.encode()) for name, value in ({"host": "app.example.com"} | headers).items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": pairs, "scheme": "https"}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    answers[f"{method} {path}"] = sent[0]["status"]
    content = b"".join(message.get("body", b"") for message in sent)
    return json.loads(content) if content.startswith(b"{") else content


async def serve(app: Any, outbox: Outbox) -> None:
    await ask(app, "GET", "/auth/login", **HTML)
    await ask(app, "POST", "/auth/login", b"email=ada%40example.com&password=wrong", **FORM)
    asked = await ask(app, "POST", "/auth/register", ACCOUNT)
    mail = await outbox.next("register")
    await ask(app, "POST", "/auth/verify-email", {"request": asked["request"], "code": mail.code})
    pair = await ask(app, "POST", "/auth/login", ACCOUNT)
    pair = await ask(app, "POST", "/auth/refresh", {"refresh_token": pair["refresh_token"]})
    await ask(app, "GET", "/", authorization=f"Bearer {pair['access_token']}")
    await ask(app, "GET", "/auth/me", authorization=f"Bearer {pair['access_token']}")
    await ask(app, "POST", "/auth/forgot-password", {"email": ACCOUNT["email"]})
    await outbox.next("reset_password")
    await ask(app, "POST", "/auth/magic-link", {"email": ACCOUNT["email"]})
    await ask(app, "GET", "/auth/openapi.json")


async def main() -> None:
    outbox = Outbox()
    settings = Settings(secret="kV7-qWm2_zR9tYx4LbN8cPd3sGf6hJa1eUo5iTwQ0r", base_url="https://app.example.com")
    others = [item for item in defaults(mail=True) if not isinstance(item, Passwords)]
    features = [Passwords(argon2=Argon2.cheap()), *others, MagicLink(), Pages(), OpenAPI()]
    auth = Auth("sqlite://", settings=settings, features=features, mailer=outbox)
    app = AuthMiddleware(host, auth, mount="/auth")
    async with auth:
        imported.clear()
        await serve(app, outbox)
        sys.stdout.write(json.dumps({"imported": imported, "answers": answers}))


if __name__ == "__main__":
    sys.addaudithook(note)
    asyncio.run(main())
