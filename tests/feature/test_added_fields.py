"""Fields that a feature adds to endpoints of others, the packages that it needs, and the actor in its events."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from asgi_auth import Argon2, Auth, AuthApp, AuthMiddleware, Pages, Passwords, Sessions
from asgi_auth.errors import ForbiddenError, ValidationError
from asgi_auth.feature import Call, Endpoint, Event, Feature, Identity, Line, Served, User, get, post
from asgi_auth.features.audit import Audit
from asgi_auth.openapi import Info, document
from asgi_auth.sessions.identity import current
from tests.feature.demanding import user_of
from tests.pages.surfer import Surfer
from tests.support import EMAIL, PASSWORD, SECRET, Client, make_auth, register, unlimited, who


class Puzzle(Feature):
    """Asks for the answer to a puzzle at the login."""

    texts = {"en": {"field.puzzle": "Two and two"}}  # noqa: RUF012 (a class attribute)

    def __init__(self) -> None:
        self.added: list[Mapping[str, Any]] = []
        self.values: list[set[str]] = []

    def fields_at(self, endpoint: Endpoint) -> Mapping[str, Any]:
        return {"puzzle": Line, "remember": bool} if endpoint.name in {"login", "token", "listed"} else {}

    def takes_part(self, endpoint: Endpoint) -> bool:
        return endpoint.name in {"login", "token", "listed"}

    def errors_at(self, endpoint: Endpoint) -> tuple[type[ForbiddenError], ...]:
        return (ForbiddenError,) if self.takes_part(endpoint) else ()

    async def before(self, call: Call) -> None:
        self.added.append(dict(call.added))
        self.values.append(set(call.values))
        if call.added.get("puzzle") != "four":
            raise ForbiddenError("Solve the puzzle.")

    @get("/listed")
    async def listed(self, *, most: int = 1) -> int:
        """List."""
        return most


def puzzled(*more: Feature) -> Auth:
    return make_auth(features=[Passwords(argon2=Argon2.cheap()), *unlimited(mail=False), Puzzle(), *more])


LOGIN = {"email": EMAIL, "password": PASSWORD}


async def test_an_added_field_is_checked_and_stands_in_the_call_alone() -> None:
    async with puzzled() as auth:
        await register(auth)
        client = Client(AuthApp(auth))
        solved = await client.post("/login", LOGIN | {"puzzle": "four", "remember": True})
        unsolved = await client.post("/login", LOGIN)
        wrong = await client.post("/login", LOGIN | {"puzzle": 4, "remember": "yes"})
        elsewhere = await client.post("/register", LOGIN | {"puzzle": "four"})
        in_query = await client.get("/listed?most=2&puzzle=four&remember=true")

    assert [answer.status for answer in (solved, unsolved, wrong, elsewhere)] == [200, 403, 422, 422]
    assert set(wrong.json["errors"]) == {"puzzle", "remember"}
    assert in_query.json == 2
    assert auth[Puzzle].added == [{"puzzle": "four", "remember": True}, {}, {"puzzle": "four", "remember": True}]
    assert auth[Puzzle].values == [{"email", "password"}, {"email", "password"}, {"most"}]


async def test_in_process_an_added_field_is_an_argument() -> None:
    async with puzzled() as auth:
        await register(auth)
        await auth[Passwords].login(email=EMAIL, password=PASSWORD, puzzle="four")  # type: ignore[call-arg]  # added
        with pytest.raises(ForbiddenError):
            await auth[Passwords].login(email=EMAIL, password=PASSWORD)
        with pytest.raises(ValidationError):
            await auth[Passwords].login(email=EMAIL, password=PASSWORD, puzzle=4)  # type: ignore[call-arg]  # added


async def test_the_form_asks_for_it() -> None:
    async with puzzled(Pages()) as auth:
        await register(auth)
        surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
        page = await surfer.get("login")
        wrong = await surfer.submit(page, "/login", email=EMAIL, password=PASSWORD, puzzle="five")
        done = await surfer.submit(wrong, "/login", email=EMAIL, password=PASSWORD, puzzle="four")

    assert "Two and two" in page.text
    assert "Solve the puzzle." not in page.text
    assert wrong.answer.status == 403
    assert done.answer.all("location") == ["/"]


def test_the_document_has_it() -> None:
    app = AuthApp(puzzled())
    found = document(app.auth, Served(app.routes, "/"), Info())
    schema = found["components"]["schemas"]["LoginRequest"]

    assert schema["properties"].keys() == {"email", "password", "puzzle", "remember"}
    assert schema["required"] == ["email", "password"]
    assert "puzzle" in {item["name"] for item in found["paths"]["/listed"]["get"]["parameters"]}


@pytest.mark.parametrize("name", ["email", "client", "puzzle"])
def test_a_field_that_is_there_already_is_not_added(name: str) -> None:
    class Second(Feature):
        def fields_at(self, endpoint: Endpoint) -> Mapping[str, Any]:
            return {name: Line} if endpoint.name == "login" else {}

    with pytest.raises(ValueError, match=f"Second adds the field {name} to login"):
        puzzled(Second())


def test_a_missing_package_is_named_with_its_extra_when_the_auth_is_made() -> None:
    class Drawing(Feature):
        requires = {"no_such_package.part": "mfa"}  # noqa: RUF012 (a class attribute)

    with pytest.raises(ValueError, match=r"Drawing needs no_such_package.part: pip install 'asgi-auth\[mfa\]'"):
        puzzled(Drawing())


def test_a_package_is_found_and_not_imported() -> None:
    script = (
        "import sys\nfrom asgi_auth import Auth, Passwords\nfrom asgi_auth.feature import Feature\n"
        "class Drawing(Feature): requires = {'xmlrpc.client': 'mfa'}\n"
        f"Auth('sqlite://', secret={SECRET!r}, features=[Passwords(), Drawing()])\n"
        "print('xmlrpc' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


class Acting(Feature):
    """Emits an event."""

    @post("/act", status=204, keys=True)
    async def act(self, *, identity: Identity) -> None:
        """Act."""
        await self.auth.emit("user_change", user_id=identity.id)

    @post("/refuse", status=204, keys=True, event="user_change")
    async def refuse(self, *, identity: Identity) -> None:  # noqa: ARG002 (it is demanded)
        """Refuse."""
        raise ForbiddenError


async def test_events_logs_and_records_name_who_acts_for_a_user(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Acting(), Audit()]
    async with make_auth(features=features) as auth:
        await register(auth)
        user, events = await user_of(auth), list[Event]()
        for outcome in ("success", "failure"):
            auth.on("user_change", events.append, outcome=outcome)
        await act(auth, user, actor="admin-7")
        with pytest.raises(ForbiddenError):
            await auth[Acting].refuse(identity=Identity.of_credential("api_key", user, actor="admin-7"))
        await act(auth, user, actor=None)
        await act(auth, user, actor=user.id)
        token = current.set(Identity.of_credential("api_key", user, actor="admin-8"))
        await auth.emit("user_change", user_id=user.id)
        current.reset(token)
        await auth[Audit].queue.close(5)
        records = [item for item in await auth.storage.audit_records(user.id, 20) if item.name == "user_change"]

    assert [event.actor for event in events] == ["admin-7", "admin-7", None, None, "admin-8"]
    logged = [record for record in caplog.records if getattr(record, "event_name", "") == "user_change"]
    assert [record.__dict__["event_actor"] for record in logged] == ["admin-7", "admin-7", None, None, "admin-8"]
    assert ["actor=admin-7" in record.getMessage() for record in logged] == [True, True, False, False, False]
    assert sorted(str(record.actor) for record in records) == ["None", "None", "admin-7", "admin-7", "admin-8"]


async def act(auth: Auth, user: User, actor: str | None) -> None:
    await auth[Acting].act(identity=Identity.of_credential("api_key", user, actor=actor))
