"""Each example passes the same script: in each form, at the root, and behind a prefix in both server styles."""

import itertools

import httpx2
import pytest

from asgi_auth import Argon2
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.feature import PasswordService
from tests.hosts.forms import EXAMPLES, FORMS, LARGE, MORE, PAIRS, WITHOUT_WEBSOCKETS, build, load
from tests.hosts.inprocess import LocalConnect, running
from tests.hosts.script import ORIGIN, Visit, walk

#: uvicorn --root-path puts the prefix into the path, hypercorn doesn't.
STYLES = {"root": ("", ""), "prefixed": ("/api", "/api"), "unprefixed": ("/api", "")}
#: Prefixes at which a host cannot be reached, with the reason. The auth routes of the wrapper still work.
UNREACHABLE = {
    ("quart", "unprefixed"): "Quart wants its root_path at the beginning of every path",
    ("falcon", "prefixed"): "Falcon leaves root_path in the path that it routes",
    ("sanic", "prefixed"): "Sanic leaves root_path in the path that it routes",
}
#: Prefixes at which a mount of a host cannot be reached, with the reason. Only the wrapped form works.
UNMOUNTED = {
    ("blacksheep", "prefixed"): "BlackSheep matches mounts with the raw path, prefix and all",
    ("blacksheep", "unprefixed"): "BlackSheep doesn't tell what of the root_path its mount has added",
}
NUMBERS = itertools.count(1)
CASES = [(host, form, style) for host, form in PAIRS for style in STYLES]


@pytest.mark.parametrize(
    ("host", "form", "style"),
    [case for case in CASES if case[1] != "mounted" or (case[0], case[2]) not in UNMOUNTED],
)
async def test_the_script_runs(host: str, form: str, style: str) -> None:
    root, prefix = STYLES[style]
    app, auth = build(host, form), load(host, form).auth
    auth[PasswordService].hasher = PasswordHasher(Argon2.cheap(), 1, None)
    connect = None if host in WITHOUT_WEBSOCKETS else LocalConnect(app, root_path=root)
    pages = None if (host, style) in UNREACHABLE else prefix

    async with running(app), client_of(app, root) as client:
        await walk(Visit(client, connect, auth.users.set_roles, pages=pages, auth=f"{prefix}/auth"))


@pytest.mark.parametrize(("host", "style"), UNREACHABLE, ids=UNREACHABLE.values())
async def test_a_host_has_limits_of_its_own(host: str, style: str) -> None:
    root, prefix = STYLES[style]

    async with client_of(build(host, "wrapped"), root) as client:
        answer = await client.get(f"{prefix}/who")

    assert answer.status_code == 404
    await load(host, "wrapped").auth.close()


@pytest.mark.parametrize(("host", "style"), UNMOUNTED, ids=UNMOUNTED.values())
async def test_a_mount_has_limits_of_its_own(host: str, style: str) -> None:
    root, prefix = STYLES[style]

    async with client_of(build(host, "mounted"), root) as client:
        mounted = await client.get(f"{prefix}/auth/me")
        page = await client.get(f"{prefix}/who")

    assert (mounted.status_code, page.status_code) == (404, 200)
    await load(host, "mounted").auth.close()


def test_every_example_is_tried_and_short() -> None:
    files = {path.stem.removesuffix("_app"): path.read_text().splitlines() for path in EXAMPLES.glob("*_app.py")}

    assert files.keys() == FORMS.keys() | {*MORE, *LARGE}
    assert max(len(lines) for lines in files.values()) <= 40


def client_of(app: object, root: str) -> httpx2.AsyncClient:
    """A client of an app in this process. Each client has its own address, because rate limits are active."""
    address = f"192.0.2.{next(NUMBERS)}"
    transport = httpx2.ASGITransport(app=app, root_path=root, client=(address, 1))  # type: ignore[arg-type]  # the apps of all hosts
    return httpx2.AsyncClient(transport=transport, base_url=ORIGIN)
