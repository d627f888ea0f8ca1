"""Clients whose id is the URL of their metadata."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from asgi_auth.features.authorization_server.documents import Documents
from asgi_auth.testing.provider import InProcess
from tests.oauth.world import LOCAL, World, answered, make
from tests.support import Answer, Clock

URL = "https://claude.example/oauth/client.json"
HOSTED = "https://claude.example/callback"
DOCUMENT = {
    "client_id": URL,
    "client_name": "Claude",
    "redirect_uris": [HOSTED, LOCAL],
    "logo_uri": "https://x.example/",
}
#: The members of metadata that link to something for users to see (RFC 7591, section 2).
LINKS = ("logo_uri", "client_uri", "policy_uri", "tos_uri")


class Site:
    """The server of a document; `asked` counts its requests."""

    def __init__(self, document: object = DOCUMENT) -> None:
        self.document, self.status, self.headers, self.asked = document, 200, dict[str, str](), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the document."""
        self.asked += 1
        body = self.document if isinstance(self.document, str) else json.dumps(self.document)
        await Response(body, self.status, headers=self.headers)(scope, receive, send)


@dataclass
class Listener:
    """A real server at `url` that counts its connections, and answers none."""

    url: str = ""
    connections: int = 0

    @property
    def links(self) -> dict[str, str]:
        """The members of metadata, with links to the server."""
        return {name: f"{self.url}/{name}" for name in LINKS}

    async def taken(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Count a connection, and close it."""
        self.connections += 1
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """Count connections; at the end one is made, so that a listener that counts none fails its test."""
    found = Listener()
    async with await asyncio.start_server(found.taken, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found.url = f"http://127.0.0.1:{port}"
        yield found
        before = found.connections
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        assert found.connections == before + 1
        writer.close()


async def logged_in(clock: Clock, site: Site, **options: Any) -> World:
    """Return a world with a user whose server finds the site."""
    outgoing = InProcess(hosts={"https://claude.example": site})
    world = World(make(clock, outgoing=outgoing, **options), clock)
    await world.log_in()
    return world


async def test_a_client_is_named_by_its_document_and_confirmed_by_its_host(clock: Clock) -> None:
    site = Site()
    world = await logged_in(clock, site, registration=False)
    page = await world.page(URL, redirect_uri=HOSTED)
    assert "The program is that of claude.example." in page.body.decode()
    code = answered(await world.decide(page))["code"]
    tokens = (await world.redeem(URL, code, redirect_uri=HOSTED)).json
    assert (await world.use(tokens["access_token"])).json["client"] == URL
    assert (await world.refresh(URL, tokens["refresh_token"])).status == 200

    other_port = LOCAL.replace("33418", "5000")
    page = await world.page(URL, redirect_uri=other_port)
    assert "named itself" in page.body.decode()
    assert (await world.page(URL, redirect_uri="https://evil.example/")).status == 400
    apps = (await world.browser.get("/auth/connected-apps")).json["apps"]
    assert [(app["name"], app["host"], app["verified"]) for app in apps] == [("Claude", "claude.example", True)]
    metadata = await world.program.get("/.well-known/oauth-authorization-server/auth")
    assert metadata.json["client_id_metadata_document_supported"] is True
    assert "registration_endpoint" not in metadata.json
    assert (await world.program.post("/auth/oauth/register", {"redirect_uris": [HOSTED]})).status == 404
    assert site.asked == 1


async def test_a_document_is_read_for_users_alone_and_kept_for_a_while(clock: Clock) -> None:
    site = Site()
    world = await logged_in(clock, site)
    cookies, world.browser.cookies = world.browser.cookies, {}
    assert (await world.page(URL)).status == 303
    assert (await world.redeem(URL, "x")).json["error"] == "invalid_grant"
    assert site.asked == 0
    world.browser.cookies = cookies

    pages = await asyncio.gather(*(world.page(URL) for _ in range(8)))
    assert ({page.status for page in pages}, site.asked) == ({200}, 1)
    clock.move(59)
    await world.page(URL)
    assert site.asked == 1
    site.headers = {"cache-control": "public, max-age=300"}
    clock.move(2)
    await world.page(URL)
    clock.move(299)
    await world.page(URL)
    assert site.asked == 2
    site.status = 500
    clock.move(2)
    assert [(await world.page(URL)).status for _ in range(2)] == [400, 400]
    assert site.asked == 3
    clock.move(31)
    site.status = 200
    assert (await world.page(URL)).status == 200


async def test_what_a_client_links_to_is_never_read(clock: Clock) -> None:
    async with listening() as listener:
        world = await logged_in(clock, Site(DOCUMENT | listener.links))
        about = {"redirect_uris": [LOCAL], "client_name": "Claude"} | listener.links
        registered = (await world.program.post("/auth/oauth/register", about)).json

        for client_id in (registered["client_id"], URL):
            page = await world.page(client_id)
            shown = page.body.decode() + (await world.browser.get("/auth/account")).body.decode()
            assert (await world.redeem(client_id, answered(await world.decide(page))["code"])).status == 200
            assert listener.url not in shown + str(registered)
        await asyncio.sleep(0)

        assert listener.connections == 0


class SlowSite(Site):
    """Sends its answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer late."""
        self.asked += 1
        await self.answers.wait()
        await Response("", 404)(scope, receive, send)


async def test_slow_documents_delay_no_others(clock: Clock) -> None:
    slow, honest = SlowSite(), Site()
    # Sites of strangers that one network asks for, and one site that many networks ask for.
    urls = [f"https://slow{n}.example/x" for n in range(5)] + [f"https://n{n}.many.example/x" for n in range(5)]
    networks = ["192.0.2.1"] * 5 + [f"198.51.100.{n}" for n in range(5)]
    hosts = {url.removesuffix("/x"): slow for url in urls} | {"https://claude.example": honest}
    world = World(make(clock, outgoing=InProcess(hosts=hosts)), clock)
    await world.log_in()

    async def page(url: str, address: str) -> Answer:
        return await world.browser.request("GET", world.asked(url), scope={"client": (address, 1)})

    async with asyncio.TaskGroup() as group, asyncio.timeout(60):
        pages = [group.create_task(page(*each)) for each in zip(urls, networks, strict=True)]
        while slow.asked < 8 or sum(each.done() for each in pages) < 2:  # noqa: ASYNC110 (until all are under way)
            await asyncio.sleep(0.01)
        refused = [each.result() for each in pages if each.done()]
        assert [(each.status, each.header("retry-after")) for each in refused] == [(429, "3")] * 2
        assert (await page(URL, "203.0.113.9")).status == 200
        assert (await page(URL, "192.0.2.1")).status == 200
        slow.answers.set()

    # The refusal was not kept, and the places were given back.
    assert [(await page(url, "192.0.2.1")).status for url in urls] == [400] * 10
    assert slow.asked == 10


WRONG: dict[str, object] = {
    "another id": DOCUMENT | {"client_id": URL + "x"},
    "a secret": DOCUMENT | {"client_secret": "x"},
    "a method with a secret": DOCUMENT | {"token_endpoint_auth_method": "client_secret_post"},
    "no address": DOCUMENT | {"redirect_uris": []},
    "a bad address": DOCUMENT | {"redirect_uris": [LOCAL, "javascript:alert(1)"]},
    "many addresses": DOCUMENT | {"redirect_uris": [f"{HOSTED}{n}" for n in range(11)]},
    "the name of a known client": DOCUMENT | {"client_name": "Reports"},
    "a list": [DOCUMENT],
    "no JSON": "<html>",
    "a wrong type": DOCUMENT | {"client_name": 1},
    "deep": "[" * 5000,
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_document_is_no_client(clock: Clock, what: str) -> None:
    world = await logged_in(clock, Site(WRONG[what]))

    page = await world.page(URL)

    assert (page.status, page.header("location")) == (400, None)


async def test_only_the_named_hosts_may_have_documents(clock: Clock) -> None:
    for hosts, status in ((["claude.example"], 200), (["other.example"], 400), (False, 400)):
        site = Site()
        world = await logged_in(clock, site, metadata_documents=hosts)
        assert ((await world.page(URL)).status, site.asked) == (status, int(status == 200))


@pytest.mark.parametrize(
    "url",
    [
        "http://claude.example/x",
        "https://claude.example",
        "https://claude.example/",
        "https://localhost/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://user@claude.example/x",
        "https://claude.example/x#y",
        "https://claude.example/a/../x",
        "https://claude.example/a/%2E%2e/x",
        "https://claude.example/./x",
        "https://claude.example\\x/y",
        "https://Claude.example/x",
        "https://claude.example/" + "x" * 512,
        "file:///etc/passwd",
    ],
)
def test_other_urls_are_never_read(url: str) -> None:
    documents = Documents(InProcess(), None, lambda: 0.0)

    assert documents.is_url(URL)
    assert not documents.is_url(url)


async def test_a_process_keeps_a_bounded_number_of_documents(clock: Clock) -> None:
    documents = Documents(InProcess(hosts={"https://claude.example": Site()}), None, clock)
    assert (await documents.read(URL, "")).client_name == "Claude"

    for number in range(300):
        with pytest.raises(Exception, match="not known"):
            await documents.read(f"{URL}{number}", "")

    assert len(documents._kept) == 256
    assert URL not in documents._kept
    assert documents._locks.get() == {}
