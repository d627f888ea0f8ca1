"""A forked child answers like its parent, and shares no thread, lock, connection or event loop with it."""

import asyncio
import functools
import gc
import os
import queue
import signal
import sqlite3
import threading
import types
import weakref
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, Future
from contextlib import nullcontext
from typing import Any

import pytest

from asgi_auth import Argon2, Auth, AuthMiddleware, Mail, Passwords, RedisCounters, Settings
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.features.audit import Audit
from asgi_auth.features.defaults import defaults
from asgi_auth.mail.mailers import FunctionMailer
from asgi_auth.pages.feature import Pages
from asgi_auth.storage import sqlite_fork
from asgi_auth.storage.sql import SQLStorage
from tests.redis_server import RedisServer
from tests.storage.conftest import DRIVERS, FILES_AND_SERVERS, connect
from tests.support import EMAIL, ORIGIN, PASSWORD, SECRET, Client, who
from tests.variants import crossed

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
    # A child closes nothing of its parent, and loops end without closing: what is left is collected after each test.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
Fresh = Callable[[str], str]
#: What belongs to one process: an object of these types must not be in use in two.
OWN = (
    threading.Thread,
    type(threading.Lock()),
    type(threading.RLock()),
    threading.Condition,
    threading.Semaphore,
    queue.SimpleQueue,
    Executor,
    Future,
    asyncio.AbstractEventLoop,
    asyncio.Future,
    asyncio.Lock,
    asyncio.Event,
    sqlite3.Connection,
)


def in_child(work: Callable[[], Coroutine[Any, Any, str]], seconds: int = 30) -> str:
    """Fork, and return what the coroutine function returns in the child, or the name of its error."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(seconds)
        try:
            said = asyncio.run(work())
        except BaseException as error:  # noqa: BLE001 (the parent shows it)
            said = f"{type(error).__name__}: {error}"
        os.write(writes, said.encode())
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(pid, 0)
    return said or f"killed by signal {status & 127}"


def whole(storage: Any, mailed: Callable[[Mail], object], counters: Any = None) -> tuple[Auth, Client]:
    """An `Auth` with all that runs in the background: mails by a function in a thread, records, purge, pages."""
    features = [item for item in defaults(mail=True) if not isinstance(item, Passwords)]
    auth = Auth(
        storage,
        settings=Settings(secret=SECRET, base_url=ORIGIN, verification="optional", enumeration="tell"),
        features=[Passwords(argon2=Argon2.cheap(), workers=1), *features, Pages()],
        mailer=FunctionMailer(mailed),
        counters=counters,
    )
    auth.mail.pause = 0
    return auth, Client(AuthMiddleware(who, auth, mount="/auth"))


async def use(auth: Auth, client: Client, name: str) -> str:
    """Register, log in, and wait for the mail and the records: each thread, task and connection has worked."""
    account = {"email": f"{name}@example.com", "password": PASSWORD}
    registered = await client.post("/auth/register", account)
    pair = await client.post("/auth/login", account)
    me = await client.get("/", headers={"authorization": f"Bearer {pair.json.get('access_token')}"})
    page = await client.get("/auth/login", headers={"accept": "text/html"})
    await auth.mail.idle()
    assert "id" in me.json, [registered.body, pair.body, me.body]
    records = await auth[Audit].list(me.json["id"])
    return f"{registered.status} {pair.status} {bool(me.json['id'])} {page.status} {bool(records)}"


WORKS = "201 200 True 200 True"


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.mark.parametrize(("driver", "counted"), crossed(DRIVERS, ["in the storage", "in redis"]))
async def test_a_child_forked_in_a_running_loop_answers(
    driver: str, counted: str, fresh: Fresh, redis: RedisServer
) -> None:
    counters = RedisCounters(redis.url, prefix=fresh("sqlite")) if counted == "in redis" else None
    mails: list[str] = []
    auth, client = whole(connect(driver, fresh(driver)), lambda mail: mails.append(mail.to), counters)

    async with auth:
        before = await use(auth, client, "parent")
        child = in_child(lambda: use(auth, client, "child"))
        again = in_child(lambda: use(auth, client, "second"))
        after = await use(auth, client, "later")

    assert (before, child, again, after) == (WORKS,) * 4
    assert mails == ["parent@example.com", "later@example.com"]


@pytest.mark.parametrize(("driver", "closed"), crossed(FILES_AND_SERVERS, [True, False]))
def test_a_child_forked_after_a_loop_answers(driver: str, closed: bool, fresh: Fresh) -> None:  # noqa: FBT001
    auth, client = whole(connect(driver, fresh(driver)), lambda _: None)

    async def parent() -> str:
        done = await use(auth, client, "parent")
        if closed:
            await auth.close()
        return done

    before = asyncio.run(parent())
    child = in_child(lambda: use(auth, client, "child"))

    assert (before, child) == (WORKS, WORKS)
    gc.collect()


async def test_what_waits_in_the_parent_is_done_there_only(fresh: Fresh) -> None:
    mails: list[str] = []
    auth, client = whole(connect("sqlite", fresh("sqlite")), lambda mail: mails.append(mail.to))

    async def child() -> str:
        await auth.start()
        await auth.mail.idle()
        await auth.close()
        return f"{mails} {len(await auth[Audit].list(user))}"

    async with auth:
        await auth.start()
        user = (await client.post("/auth/register", {"email": EMAIL, "password": PASSWORD})).json["user"]["id"]
        said = in_child(child)
        await auth.mail.idle()
        names = [record.name for record in await auth[Audit].list(user)]

    assert said == "[] 0"
    assert mails == [EMAIL]
    assert names.count("register") == 1


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_child_shares_nothing_of_one_process(driver: str, fresh: Fresh, redis: RedisServer) -> None:
    storage = connect(driver, fresh(driver))
    auth, client = whole(storage, lambda _: None, RedisCounters(redis.url))

    async with auth:
        await use(auth, client, "parent")
        # A look for changes may be in progress at the fork.
        driver_of_loop: Any = storage._driver
        async with driver_of_loop.reading() if "postgres" in driver else nullcontext():
            inherited = list(own_of((auth, client.app)))

            async def child() -> str:
                kept = {id(item) for item in inherited}
                found = own_of((auth, client.app))
                return f"shared: {sorted({type(item).__name__ for item in found if id(item) in kept})}"

            assert inherited
            assert in_child(child) == "shared: []"


def own_of(roots: object) -> Iterator[object]:
    """All objects of the types `OWN` that can be reached, but not by way of modules and classes."""
    waiting, seen = [roots], {id(roots)}
    while waiting:
        item = waiting.pop()
        if isinstance(item, OWN):
            yield item
            continue
        if isinstance(item, types.FunctionType):
            found: list[object] = [item.__closure__, item.__defaults__, item.__kwdefaults__]
        elif isinstance(item, types.ModuleType | type | types.FrameType | weakref.ref):
            found = []
        else:
            found = gc.get_referents(item)
        waiting += [each for each in found if id(each) not in seen]
        seen |= {id(each) for each in found}


async def test_the_write_ahead_log_of_a_child_outlives_the_parent(fresh: Fresh) -> None:
    """SQLite deletes the log with the last connection that it knows: a child's locks must count."""
    url = fresh("sqlite")
    auth, client = whole(connect("sqlite", url), lambda _: None)
    (ready, opened), (go, closed) = os.pipe(), os.pipe()
    await auth.start()
    await use(auth, client, "parent")

    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        asyncio.run(written_after(auth, lambda: os.write(opened, b"1"), lambda: os.read(go, 1)))
        os._exit(0)  # As if killed: nothing is closed.
    os.read(ready, 1)
    await auth.close()
    os.write(closed, b"1")
    os.waitpid(pid, 0)  # noqa: ASYNC222 (nothing else runs)

    async with Auth(url, secret=SECRET) as later:
        assert await later.users.by_email(EMAIL) is not None


async def written_after(auth: Auth, opened: Callable[[], object], wait: Callable[[], object]) -> None:
    """Open the file, and write to it after the parent has closed it."""
    await auth.start()
    opened()
    wait()
    await auth[Passwords].register(email=EMAIL, password=PASSWORD)


async def test_a_fork_ends_a_transaction_and_nothing_of_it_remains(fresh: Fresh) -> None:
    storage = connect("sqlite", fresh("sqlite"))
    await storage.open()
    await storage.migrate(1)

    async def interrupted() -> None:
        async with storage.transaction() as inside:
            await inside.count("first", 1, 60)
            assert in_child(functools.partial(counted_in, storage)) == "1"
            await inside.count("second", 1, 60)

    with pytest.raises(StorageUnavailableError):
        await interrupted()
    assert await storage.counter("first", 1) is None
    assert await storage.counter("second", 1) is None
    assert await counted_in(storage) == "2"
    await storage.close()


async def counted_in(storage: SQLStorage) -> str:
    """Count once."""
    await storage.open()
    return str((await storage.count("other", 1, 60)).count)


async def test_a_file_that_a_statement_keeps_open_is_refused_in_the_child(
    fresh: Fresh, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite_fork, "LONGEST_WAIT", 0.05)
    storage: Any = connect("sqlite", fresh("sqlite"))
    await storage.open()
    go_on = threading.Event()
    running = asyncio.ensure_future(storage._driver._state_of_loop().writer.run(lambda _: go_on.wait(30)))
    await asyncio.sleep(0.05)

    async def child() -> str:
        try:
            await storage.open()
        except StorageUnavailableError:
            return caplog.text
        return "opened"

    assert "cannot use the file" in in_child(child)
    go_on.set()
    assert await running
    await storage.close()
