"""Random requests of clients: none breaks the server, and none sends a browser to an address that is not registered."""

import asyncio
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, quote_from_bytes, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oauth.world import CHALLENGE, FORM, LOCAL, VERIFIER, World, hidden, make
from tests.support import ORIGIN, Answer, Clock

REGISTERED = ("https://claude.ai/cb", "https://claude.ai/cb?of=us", LOCAL, "http://[::1]/cb", "cursor://a.cursor/cb")
EVIL = ("https://evil.example/", "javascript:alert(1)", "//evil.example/cb", "http://localhost:33418@evil.example/", "")
ODD = ["\r\nLocation: //evil.example", "\0", "é" * 300, "x" * 9000, "a b", "%00", "[]"]
TEXT = st.text(max_size=30) | st.sampled_from(ODD)
PIECES = ["", "", ":4321", "@", "evil.example", "/..", "#", "?", "\\", "%2f", ".", "\t", "HTTP"]
runs = settings(max_examples=120, deadline=None, database=None)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """A registered address with something in place of something else, or an evil one."""
    uri = draw(st.sampled_from((*REGISTERED, *EVIL)))
    at, length = draw(st.integers(0, len(uri))), draw(st.integers(0, 6))
    piece = draw(
        st.sampled_from(["", "", ":4321", "@", "evil.example", "/..", "#", "?", "\\", "%2f", ".", "\t", "HTTP"])
    )
    return uri[:at] + piece + uri[at + length :] if draw(st.booleans()) else uri


def values(client_id: str, code: str = "") -> st.SearchStrategy[dict[str, str]]:
    """Return parameters that are right, wrong or missing."""
    right = {
        "response_type": "code",
        "client_id": client_id,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "state": "s",
        "scope": "notes:read",
        "resource": f"{ORIGIN}/mcp",
        "prompt": "none",
        "response_mode": "query",
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "refresh_token": "",
    }
    each = {name: st.just(value) | st.just(value) | st.just(value) | TEXT for name, value in right.items()}
    some = st.fixed_dictionaries({}, optional={**each, "redirect_uri": addresses(), "request": TEXT, "x": TEXT})
    whole = {name: st.just(value) for name, value in right.items()}
    return some | st.fixed_dictionaries({**whole, "redirect_uri": addresses()})


class Machine:
    """A world, and the loop that it runs in."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.world = World(make(Clock()), Clock())
        self.loop.run_until_complete(self.world.log_in())
        self.client_id = self.loop.run_until_complete(self.world.register_client(*REGISTERED))
        self.page = self.loop.run_until_complete(self.world.page(self.client_id))

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Send a request of the browser."""
        request = self.world.browser.request(method, path, body=body, headers=FORM if body is not None else {})
        return self.loop.run_until_complete(request)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    made = Machine()
    yield made
    made.loop.run_until_complete(made.world.auth.close())
    made.loop.close()


def leads_well(answer: Answer) -> None:
    """A redirect leads to a registered address, and names the issuer; every other answer is a page."""
    location = str(answer.header("location") or "")
    assert answer.status in {200, 303, 400, 413, 414, 422}, (answer.status, answer.body)
    if answer.status == 303:
        told = parse_qs(urlsplit(location).query)
        assert told["iss"] == [f"{ORIGIN}/auth"]
        assert ("code" in told) != ("error" in told)
        address = re.sub(r"[?&](?:code|error|state|iss)=.*$", "", location)
        plain = re.sub(r"^(http://(?:127\.0\.0\.1|\[::1\]|localhost)):\d+", r"\1", address)
        assert plain in {re.sub(r"^(http://(?:127\.0\.0\.1|\[::1\])):\d+", r"\1", uri) for uri in REGISTERED}, location
    else:
        assert location == ""


def test_no_request_leads_elsewhere(machine: Machine) -> None:
    @runs
    @given(values(machine.client_id).map(urlencode) | st.binary(max_size=200).map(quote_from_bytes))
    def ask(query: str) -> None:
        leads_well(machine.send("GET", f"/auth/authorize?{query}"))

    ask()


def test_no_answer_of_a_page_leads_elsewhere(machine: Machine) -> None:
    fields = hidden(machine.page) | {"answer": "allow"}

    @runs
    @given(st.sampled_from(["sealed", "ticket", "answer"]), st.integers(0, 600), TEXT, values(machine.client_id))
    def decide(name: str, at: int, piece: str, sealed: dict[str, str]) -> None:
        changed = fields | {name: fields[name][:at] + piece + fields[name][at + 1 :]}
        for sent in (changed, fields | {"sealed": urlencode(sealed)}):
            if sent != fields:
                answer = machine.send("POST", "/auth/authorize", urlencode(sent, errors="replace").encode())
                assert answer.status in {400, 413, 422}, (answer.status, sent)

    decide()


def test_no_request_for_tokens_gets_any(machine: Machine) -> None:
    code = machine.loop.run_until_complete(machine.world.code(machine.client_id))

    @runs
    @given(values(machine.client_id, code[:-2]), st.binary(max_size=100))
    def ask(sent: dict[str, str], raw: bytes) -> None:
        for body in (urlencode(sent).encode(), raw):
            answer = machine.send("POST", "/auth/oauth/token", body)
            assert answer.status in {400, 401, 413, 422}, (answer.status, answer.body)
            assert answer.json["error"]

    ask()
