"""The export of everything that is stored about a user: one document, sent page after page."""

import asyncio
import json
from typing import Any

from asgi_auth import Audit, AuthMiddleware
from asgi_auth.model.records import AuditRecord, new_id
from asgi_auth.storage.sql_audit import PAGE
from tests.support import Client, bearer, http_scope, login, make_auth, register, who

MANY = 3 * PAGE + 7


async def test_an_export_is_one_document_in_pages() -> None:
    async with make_auth() as auth:
        user_id = await register(auth)
        pair = await login(auth)
        app = AuthMiddleware(who, auth, mount="/auth")
        await auth[Audit].queue.flush()
        before = (await Client(app).get("/auth/me/export", headers=bearer(pair))).json
        now = auth.now()
        records = [
            AuditRecord(id=new_id(now + n), name="login", outcome="success", code="", at=int(now), user_id=user_id)
            for n in range(MANY)
        ]
        await auth.storage.add_audit_records(records)
        sent: list[Any] = []

        waited = False

        async def receive() -> Any:
            nonlocal waited
            if waited:
                await asyncio.Event().wait()
            waited = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [("authorization", bearer(pair)["authorization"])]
        await app(http_scope("GET", "/auth/me/export", headers), receive, send)
        head = await Client(app).request("HEAD", "/auth/me/export", headers=bearer(pair))
        stored = await auth.storage.stored(user_id)

    parts = [message["body"] for message in sent[1:]]
    exported = json.loads(b"".join(parts))
    assert set(exported) == set(before) == {"user", "credentials", "sessions", "tokens", "features", "events"}
    assert len(exported["events"]) == len(before["events"]) + MANY
    assert max(map(len, parts)) < len(b"".join(parts)) / 3
    assert dict(sent[0]["headers"])[b"cache-control"] == b"no-store"
    assert (head.status, head.body) == (200, b"")
    assert stored is not None
    assert stored.events == exported["events"]


async def test_an_export_without_events_is_a_document() -> None:
    async with make_auth(features=None) as auth:
        await register(auth)
        pair = await login(auth)
        answer = await Client(AuthMiddleware(who, auth, mount="/auth")).get("/auth/me/export", headers=bearer(pair))

    assert answer.json["user"]["email"] == "ada@example.com"
    assert answer.header("content-type") == "application/json"
