"""The glue of hosts that run events in workers: `make hosts` runs the same with the real packages."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from asgi_auth import Identity, current_user
from asgi_auth.feature import User
from asgi_auth.hosts.reflex import user_of


class ShownError(Exception):
    """What Gradio shows to the user of a page."""

    def __init__(self, message: str, *, print_exception: bool) -> None:
        super().__init__(message)
        assert not print_exception


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> ContextVar[Any]:
    """The request of an event, as Gradio keeps it for its workers."""
    request: ContextVar[Any] = ContextVar("request", default=None)
    context = ModuleType("gradio.context")
    context.LocalContext = SimpleNamespace(request=request)  # type: ignore[attr-defined]  # a part of Gradio
    package = ModuleType("gradio")
    package.Error = ShownError  # type: ignore[attr-defined]  # a part of Gradio
    monkeypatch.setitem(sys.modules, "gradio", package)
    monkeypatch.setitem(sys.modules, "gradio.context", context)
    monkeypatch.delitem(sys.modules, "asgi_auth.hosts.gradio", raising=False)
    return request


def sent_by(name: str, *roles: str) -> Any:
    """The request of a user."""
    known: dict[str, Any] = {"email": f"{name}@example.com", "email_canonical": f"{name}@example.com"}
    user = User(id=name, roles=roles, created_at=0, updated_at=0, **known)
    return SimpleNamespace(scope={"asgi_auth": Identity.of_credential("test", user)})


def plain() -> str:
    return current_user().id


async def awaited() -> str:
    return current_user().id


def steps() -> Iterator[str]:
    yield current_user().id
    yield current_user().id


async def awaited_steps() -> AsyncIterator[str]:
    yield current_user().id
    yield current_user().id


async def told(function: Any) -> list[str]:
    """Call a function as its kind wants, with no user known between two steps."""
    made = function()
    if hasattr(made, "__anext__"):
        return [value async for value in made if not current_user().id]
    if hasattr(made, "__next__"):
        return [value for value in made if not current_user().id]
    return [await made if hasattr(made, "__await__") else made]


@pytest.mark.parametrize("function", [plain, awaited, steps, awaited_steps])
async def test_an_event_of_gradio_has_the_user_of_its_request(worker: ContextVar[Any], function: Any) -> None:
    from asgi_auth.hosts.gradio import login_required, require, with_user

    anonymous = await told(with_user(function))
    with pytest.raises(ShownError, match="Log in"):
        await told(login_required(function))
    worker.set(sent_by("ada"))
    ada = await told(login_required(function))
    with pytest.raises(ShownError, match="may not"):
        await told(require(roles="admin")(function))
    worker.set(sent_by("eve", "admin"))
    eve = await told(require(roles="admin")(function))

    assert (set(anonymous), set(ada), set(eve)) == ({""}, {"ada"}, {"eve"})
    assert current_user().id == ""


def test_an_event_of_reflex_has_the_user_of_its_websocket() -> None:
    sockets = {("s1", "/_event"): {"asgi.scope": sent_by("ada").scope}}
    app = SimpleNamespace(sio=SimpleNamespace(get_environ=lambda sid, namespace: sockets.get((sid, namespace))))

    def user(sid: str) -> str:
        return user_of(app, SimpleNamespace(router=SimpleNamespace(session=SimpleNamespace(session_id=sid)))).id

    assert (user("s1"), user("s2")) == ("ada", "")
