"""Where the context of a request reaches on each host: `current_user()` in what a request begins."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

from a2wsgi import WSGIMiddleware
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi import Request as FastAPIRequest
from fastapi.responses import StreamingResponse
from flask import Flask
from flask import request as flask_request
from litestar import Litestar, get
from litestar import Request as LitestarRequest
from litestar.background_tasks import BackgroundTask as LitestarTask
from litestar.events import listener
from litestar.response import Response as LitestarResponse
from quart import Quart
from quart import request as quart_request

from asgi_auth import AuthMiddleware, acting_as, current_user, identity_of
from asgi_auth.hosts.litestar import AuthPlugin
from tests.hosts.visiting import visit

Seen = dict[str, str]


async def test_the_context_reaches_what_a_request_of_fastapi_begins_but_no_thread_of_its_own() -> None:
    seen: Seen = {}
    begun: list[Any] = []

    def note(name: str) -> None:
        seen[name] = current_user().id

    async def note_async(name: str) -> None:
        seen[name] = current_user().id

    async def dependency() -> AsyncIterator[None]:
        note("dependency")
        yield
        note("after the answer")

    def sync_dependency() -> Iterator[None]:
        note("dependency in a thread")
        yield

    api = FastAPI()

    @api.get("/", dependencies=[Depends(dependency), Depends(sync_dependency)])
    async def page(request: FastAPIRequest, background: BackgroundTasks) -> StreamingResponse:
        async def stream() -> AsyncIterator[str]:
            note("stream")
            yield "x"

        background.add_task(note, "background in a thread")
        background.add_task(note_async, "background")
        begun.append(asyncio.create_task(note_async("task")))
        await asyncio.to_thread(note, "to_thread")
        await asyncio.get_running_loop().run_in_executor(None, note, "run_in_executor")
        thread = threading.Thread(target=note, args=("thread",))
        thread.start()
        thread.join()
        identity = identity_of(request)

        def handed_over() -> None:
            with acting_as(identity):
                note("thread, handed over")

        await asyncio.get_running_loop().run_in_executor(None, handed_over)
        return StreamingResponse(stream(), background=background)

    user_id = await visit(lambda auth: AuthMiddleware(api, auth))

    assert seen == {
        "dependency": user_id,
        "dependency in a thread": user_id,
        "task": user_id,
        "to_thread": user_id,
        "run_in_executor": "",
        "thread": "",
        "thread, handed over": user_id,
        "stream": user_id,
        "background": user_id,
        "background in a thread": user_id,
        "after the answer": user_id,
    }


async def test_litestar_knows_the_user_in_background_tasks_but_not_in_listeners() -> None:
    seen: Seen = {}

    async def note(name: str) -> None:
        seen[name] = current_user().id

    @listener("happened")
    async def on_happened(request: Any) -> None:
        await note("listener")
        with acting_as(identity_of(request)):
            await note("handed over")

    @get("/")
    async def page(request: LitestarRequest[Any, Any, Any]) -> LitestarResponse[str]:
        request.app.emit("happened", request)
        return LitestarResponse("done", background=LitestarTask(note, "background"))

    user_id = await visit(lambda auth: Litestar([page], plugins=[AuthPlugin(auth)], listeners=[on_happened]))

    assert seen == {"background": user_id, "listener": "", "handed over": user_id}


async def test_quart_knows_the_user_in_its_background_tasks() -> None:
    seen: Seen = {}
    web = Quart("quart")

    def note(name: str) -> None:
        seen[name] = current_user().id

    async def note_async(name: str) -> None:
        seen[name] = current_user().id

    @web.get("/")
    async def page() -> str:
        web.add_background_task(note, "background in a thread")
        web.add_background_task(note_async, "background")
        seen["request"] = identity_of(quart_request).id
        return "done"

    user_id = await visit(lambda auth: AuthMiddleware(web, auth))

    assert seen == {"request": user_id, "background": user_id, "background in a thread": user_id}


async def test_flask_knows_the_user_in_streams_and_hands_its_requests_over() -> None:
    seen: Seen = {}
    web = Flask("flask")

    @web.get("/")
    def page() -> Iterator[str]:
        seen["request"] = identity_of(flask_request).id
        identity = identity_of(flask_request.environ)

        def work(name: str) -> None:
            seen[name] = current_user().id
            with acting_as(identity):
                seen[f"{name}, handed over"] = current_user().id

        thread = threading.Thread(target=work, args=("thread",))
        thread.start()
        thread.join()

        def stream() -> Iterator[str]:
            seen["stream"] = current_user().id
            yield "x"

        return stream()

    user_id = await visit(lambda auth: AuthMiddleware(WSGIMiddleware(web), auth))  # type: ignore[arg-type]  # WSGI

    assert seen == {"request": user_id, "thread": "", "thread, handed over": user_id, "stream": user_id}
