"""What requests share, none of them can change; and what runs in the background belongs to none of them."""

import asyncio
import copy
import json
import pickle
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

import asgi_auth
from asgi_auth import Argon2, Auth, AuthMiddleware, Mail, Outbox, Passwords, Settings, current_user
from asgi_auth.feature import Feature
from asgi_auth.model.frozen import frozen
from tests.support import PASSWORD, SECRET, Client, bearer, login, make_auth, register, unlimited, who

SOURCE = Path(asgi_auth.__file__).parent
HOSTS: ContextVar[str] = ContextVar("host", default="unset")


class Watcher(Feature):
    """Notes who is the current user of the work in the background."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[str, str]] = {}

    async def purge(self, now: int, batch: int) -> int:  # noqa: ARG002 (a hook)
        self.seen["purge"] = (current_user().id, HOSTS.get())
        return 0


async def test_work_in_the_background_sees_no_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    watcher, outbox = Watcher(), Outbox()
    seen = watcher.seen

    def mailer(_: Mail) -> None:
        seen["mail"] = (current_user().id, HOSTS.get())

    features = [Passwords(argon2=Argon2.cheap()), *unlimited(mail=True), watcher]
    auth = make_auth("sqlite:///" + str(tmp_path / "auth.db"), features=features, mailer=outbox, purge_interval=3600)
    auth.purger.pause = 0

    async def send(mail: Mail) -> None:
        mailer(mail)

    monkeypatch.setattr(outbox, "send", send)
    add = auth.storage.add_audit_records

    async def noted(records: Any) -> None:
        seen["audit"] = (current_user().id, HOSTS.get())
        await add(records)

    monkeypatch.setattr(auth.storage, "add_audit_records", noted)
    async with auth:
        await register(auth)
        pair = await login(auth)
        await auth.close()
        await auth.start()
        seen.clear()
        auth.purger._due = 0
        token = HOSTS.set("a tenant")
        body = {"current_password": PASSWORD, "new_password": PASSWORD + "!"}
        answer = await Client(AuthMiddleware(who, auth, mount="/auth")).post(
            "/auth/change-password", body, headers=bearer(pair)
        )
        HOSTS.reset(token)
        await auth.mail.idle()
        async with asyncio.timeout(10):
            while len(seen) < 3:  # noqa: ASYNC110 (three different functions write to it)
                await asyncio.sleep(0.01)

    assert answer.status == 204
    assert seen == dict.fromkeys(("mail", "purge", "audit"), ("", "unset"))


async def test_no_request_changes_the_claims_of_another() -> None:
    auth = Auth(
        "sqlite://",
        settings=Settings(secret=SECRET),
        features=[Passwords(argon2=Argon2.cheap()), *unlimited(mail=False)],
        claims=lambda _: {"groups": ["a"], "org": {"ids": [1]}},
    )
    changes: list[Any] = [
        lambda user: user.claims["groups"].append("wheel"),
        lambda user: user.claims["groups"].__setitem__(0, "wheel"),
        lambda user: user.claims["org"].update(ids=[]),
        lambda user: user.claims["org"]["ids"].clear(),
        lambda user: user.claims["roles"].append("admin"),
        lambda user: user.claims["amr"].sort(),
        lambda user: user.claims.update(x=1),
        lambda user: setattr(user, "roles", ("admin",)),
        lambda user: setattr(user, "claims", {}),
        lambda user: setattr(user, "error", None),
        lambda user: setattr(user, "transport", "cookie"),
    ]
    shown: list[str] = []

    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        user = scope["user"]
        shown.append(json.dumps([dict(user.claims), user.roles, user.transport]))
        for change in changes:
            with pytest.raises((TypeError, AttributeError, KeyError)):
                change(user)
        await who(scope, receive, send)

    async with auth:
        await register(auth)
        pair = await login(auth)
        client = Client(AuthMiddleware(host, auth))
        for _ in range(3):
            await client.get("/", headers=bearer(pair))
        for _ in range(2):
            await client.get("/")

    assert shown[0] == shown[1] == shown[2]
    assert shown[3] == shown[4]


def test_a_copy_of_a_frozen_value_can_be_changed() -> None:
    value = {"groups": ["a", {"b": []}]}
    kept = frozen(value)

    assert kept == value
    assert json.dumps(kept) == json.dumps(value)
    for copied in (copy.deepcopy(kept), pickle.loads(pickle.dumps(kept))):
        copied["groups"] = list(copied["groups"])
        copied["groups"].append("c")
    deep = copy.deepcopy(kept)
    deep["groups"][1]["b"].append(1)
    assert kept == value


def test_every_logger_and_every_task_is_one_of_these() -> None:
    """A plain logger raises what a filter raises; a plain task keeps the context of the request that began it."""
    found = {
        f"{path.relative_to(SOURCE)}: {word}"
        for path in SOURCE.rglob("*.py")
        if path.relative_to(SOURCE).parts[0] != "testing"
        for word in ("getLogger", "create_task", "ensure_future")
        if word in path.read_text("utf-8")
    }

    # The tasks of a websocket and of the lifespan end with their call.
    within = {"web/websockets.py: ensure_future", "web/lifespan.py: ensure_future"}
    # `background.finish` waits for the task that it begins.
    begun = {"process/background.py: create_task", "process/background.py: ensure_future"}
    assert found == {"process/log.py: getLogger"} | begun | within
