"""Clients: their addresses, their registration, their secrets, and the settings about them."""

import re
from typing import Any
from urllib.parse import quote_plus

import pytest

from asgi_auth import AuthorizationServer, OAuthClient, Outbox, Resource
from asgi_auth.features.authorization_server.names import plain_name
from asgi_auth.features.authorization_server.redirects import check_redirect, fits, form_source
from tests.oauth.world import LOCAL, SECRET, VERIFIER, World, answered, make
from tests.support import Clock, cheap, make_auth

GOOD = [
    "https://claude.ai/api/mcp/auth_callback",
    "http://localhost:8787/callback",
    "http://127.0.0.1/",
    "http://[::1]:1/cb",
    "cursor://anysphere.cursor-mcp/oauth/callback",
]
BAD = [
    "http://example.com/cb",
    "http://127.0.0.1.example.com/",
    "http://localhost@evil.example/",
    "https://user@evil.example/",
    "https://evil.example/#x",
    "javascript:alert(1)",
    "data:text/html,x",
    "https:///cb",
    "https://a.example\\@b.example/",
    "https://ä.example/",
    "https://a.example/ x",
    "x:y",
    "intent://scan/",
    "ms-msdt:/id",
    "search-ms:query=x",
    "smb://evil.example/x",
    "",
    "https://a.example/" + "x" * 512,
]


@pytest.mark.parametrize("uri", GOOD)
async def test_an_address_differs_by_the_port_on_this_computer_alone(world: World, uri: str) -> None:
    client_id = await world.register_client(uri)
    page = await world.page(client_id, redirect_uri=uri)
    assert f"form-action {form_source(uri)} 'self'" in str(page.header("content-security-policy"))
    assert str((await world.decide(page)).header("location")).startswith(uri)

    others = [uri + "x", uri + "?a=b", uri.replace("//", "//x."), uri.replace("callback", "Callback"), *BAD]
    others += [uri.replace("localhost", "127.0.0.1"), uri.replace("https", "http"), "https://evil.example/"]
    for other in {other for other in others if other != uri}:
        refused = await world.page(client_id, redirect_uri=other)
        assert (refused.status, refused.header("location")) == (400, None), other
        assert b"Remove the connection" in refused.body
    moved = re.sub(r"^(http://(?:\[::1\]|[^/:]*))(:\d+)?/", r"\g<1>:4321/", uri)
    assert (moved != uri) is uri.startswith("http://")
    assert (await world.page(client_id, redirect_uri=moved)).status == 200
    elsewhere = uri.replace("claude.ai", "claude.ai:444")
    assert elsewhere == uri or (await world.page(client_id, redirect_uri=elsewhere)).status == 400


def test_no_other_address_can_be_registered() -> None:
    for uri in BAD:
        with pytest.raises(ValueError, match="redirect URI"):
            check_redirect(uri)
        assert not fits(uri, (uri,))


#: "Reports" and "Example" in letters of other alphabets, by their kind.
OTHER_ALPHABETS = (
    "\u0433\u0435\u0440\u043e\u0433\u0442\u0455",  # Cyrillic, small
    "R\u0435p\u0585r\u0442\u054f",  # Armenian
    "\u13d2\u13ac\u13e2o\u13d2\u13a2\u13da",  # Cherokee capitals
    "\uaba2\uab7c\uabb2o\uaba2\uab72\uabaa",  # Cherokee small letters
    "\u0280\u1d07\u1d18\u1d0f\u0280\u1d1b\ua731",  # Latin small capitals
    "\U0001d411\U0001d41e\U0001d429\U0001d428\U0001d42b\U0001d42d\U0001d42c",  # mathematical, bold
    "\U0001d5e5eports",  # mathematical, sans serif
    "\U0001f161\U0001f154\U0001f15f\U0001f15e\U0001f161\U0001f163\U0001f162",  # in black circles
    "\U0001f1f7\U0001f1ea\U0001f1f5\U0001f1f4\U0001f1f7\U0001f1f9\U0001f1f8",  # letters of flags
    "\ua4e3\ua4f0\ua4d1\ua4f3\ua4e3\ua4d4\ua4e2",  # Lisu
    "Rep\u2c9erts",  # Coptic
    "Rep\u00f8r\u0167s",  # strokes
    "Exarnple",  # two letters for one
)


async def test_registration_stores_nothing_and_takes_no_name_of_ours(world: World) -> None:
    first = await world.register_client(LOCAL, name="Cla\u202eude\n ")
    assert first == await world.register_client("http://127.0.0.1:1/callback", name="Claude")
    alike = ("R\u0435\u0440orts", "Re-p\u00f3rts", "\u0395XAMPLE", "Examp1e", "Examp\u200bIe.", "Rep0rts")
    for name in ("Reports", "EXAMPLE", " reports ", "\uff32eports", *alike, *OTHER_ALPHABETS):
        taken = await world.program.post("/auth/oauth/register", {"redirect_uris": [LOCAL], "client_name": name})
        assert (taken.status, taken.json["error"]) == (400, "invalid_client_metadata")
    bodies: list[dict[str, Any]] = [{"redirect_uris": [uri]} for uri in BAD]
    bodies += [{"redirect_uris": [LOCAL] * 11}, {"redirect_uris": []}, {}]
    for body in bodies:
        refused = await world.program.post("/auth/oauth/register", body)
        assert refused.status == 400, body
        assert refused.header("access-control-allow-origin") == "*"
    more = {"redirect_uris": [LOCAL], "client_name": "Claude", "scope": "x", "jwks_uri": "https://evil.example"}
    assert (await world.program.post("/auth/oauth/register", more)).json["client_id"] == first
    for forged in (first[:-1] + ("A" if first[-1] != "A" else "B"), "dyn.", "dyn.ä.ö", "unknown", first + "x"):
        assert (await world.page(forged)).status == 400


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Claude\u201d is known to us. \u201cIt", "Claude is known to us. It"),
        ("\u00abA\u00bb \uff02B\u300d\u300c", "A B"),
        ("Peter\u2019s Notes", "Peter\u2019s Notes"),
        ("\u3164\u2800\ufe0f\u034f", ""),
        ("a" + "\u0301\u0302\u0303" * 9, "\u00e1\u0302\u0303"),
        (
            "A\u0338\u0338\u0338\u0338\u1ebf\u0301\u0301 b\u0323\u0301\u0302\u0303",
            "A\u0338\u0338\u0338\u1ebf\u0301 \u1e05\u0301\u0302",
        ),
        ("\u0f66\u0f92\u0fb2\u0f72 \u05e9\u05c1\u05bc\u05b8", "\u0f66\u0f92\u0fb2\u0f72 \u05e9\u05b8\u05bc\u05c1"),
        ("\u0301C\u20ddl \u0301\u0302a" + "\u0e31" * 9, "Cl a" + "\u0e31" * 3),
        ("\u202eed\u2067ualC\u2069\x07x\x1b[31m\x7f\x85\u2028", "edualC x [31m"),
        ("C\u200bl\u200da\ufeffu\u00add\U000e0041e\U000e0101", "Claude"),
        (
            "\u0417\u0430\u043c\u0435\u0442\u043a\u0438 \u05d0\u05d1",
            "\u0417\u0430\u043c\u0435\u0442\u043a\u0438 \u05d0\u05d1",
        ),
        ("a" * 4096, "a" * 60),
    ],
)
async def test_a_name_ends_no_quotation_and_is_seen(world: World, name: str, shown: str) -> None:
    page = await world.page(await world.register_client(name=name))

    assert plain_name(name) == shown
    assert f"Let \u201c{shown or 'localhost'}\u201d use" in page.body.decode()


@pytest.mark.parametrize("name", ["bank.example", "\u05d0\u202e\u05d1", "\u0430\u0440\u0440\u04cf\u0435"])
async def test_the_host_stands_beside_every_name(world: World, name: str) -> None:
    hosts = {
        "https://xn--80ak6aa92e.example/cb": "xn--80ak6aa92e.example",
        "https://A.example:8443/cb": "a.example:8443",
    }
    hosts |= {"cursor://anysphere.example/cb": "cursor:", LOCAL: "a program on this computer"}
    for uri, host in hosts.items():
        page = await world.page(await world.register_client(uri, name=name), redirect_uri=uri)
        assert f"You will go on to {host}." in page.body.decode()
        assert b"named itself" in page.body
        assert (await world.decide(page)).status == 303

    listed = (await world.browser.get("/auth/account")).body.decode()
    shown = [re.sub("<.*?>", "", each) for each in re.findall(r"</bdi></p>\s*<p class=.hint.>(.*?) \u00b7", listed)]
    assert sorted(shown) == sorted(["localhost", *list(hosts.values())[:3]])
    refused = {"redirect_uris": ["https://\u0430\u0440\u0440\u04cf\u0435.example/cb"], "client_name": name}
    assert (await world.program.post("/auth/oauth/register", refused)).status == 400


async def test_clients_that_have_registered_before_are_unknown_without_registration(clock: Clock) -> None:
    async with make(clock) as auth, make(clock, storage=auth.storage, registration=False) as closed:
        world, later = World(auth, clock), World(closed, clock)
        await world.log_in()
        client_id = await world.register_client()
        page, code, tokens = await world.page(client_id), await world.code(client_id), await world.connect(client_id)
        later.browser.cookies = world.browser.cookies

        assert (await later.page(client_id)).status == 400
        assert (await later.decide(page)).status == 400
        assert (await later.redeem(client_id, code)).json["error"] == "invalid_client"
        assert (await later.refresh(client_id, tokens["refresh_token"])).json["error"] == "invalid_client"
        assert (await world.refresh(client_id, tokens["refresh_token"])).status == 200


async def test_a_confidential_client_shows_its_secret(world: World) -> None:
    uri = "https://reports.example.com/cb"
    page = await world.page("reports", redirect_uri=None)
    assert "known to us" in page.body.decode()
    code = answered(await world.decide(page))["code"]

    for wrong in ({}, {"client_secret": "x" * 32}, {"client_secret": SECRET + "x"}):
        refused = await world.redeem("reports", code, redirect_uri=uri, **wrong)
        assert (refused.status, refused.json["error"]) == (401, "invalid_client")
    tokens = await world.redeem("reports", code, redirect_uri=uri, client_secret=SECRET)

    assert tokens.status == 200, tokens.body
    assert (await world.refresh("reports", tokens.json["refresh_token"])).json["error"] == "invalid_client"
    again = await world.refresh("reports", tokens.json["refresh_token"], client_secret=SECRET)
    assert again.status == 200


async def test_a_confidential_client_shows_its_secret_by_basic(world: World) -> None:
    uri = "https://reports.example.com/cb"
    code = answered(await world.decide(await world.page("reports", redirect_uri=uri)))["code"]
    values = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": uri}

    for name, secret in (("reports", "x" * 32), ("unknown", SECRET), ("reports", "")):
        refused = await world.token((name, secret), **values)
        assert (refused.status, refused.json["error"]) == (401, "invalid_client")
        assert str(refused.header("www-authenticate")).startswith("Basic ")
    twice = await world.token(("reports", quote_plus(SECRET)), client_secret=SECRET, **values)
    assert (twice.status, twice.json["error"]) == (400, "invalid_request")
    other = await world.token(("reports", quote_plus(SECRET)), client_id="other", **values)
    assert other.json["error"] == "invalid_client"
    tokens = await world.token(("reports", quote_plus(SECRET)), **values)
    assert tokens.status == 200, tokens.body
    again = {"grant_type": "refresh_token", "refresh_token": tokens.json["refresh_token"], "client_id": "reports"}
    assert (await world.token(("reports", SECRET), **again)).status == 200


async def test_the_user_is_told_of_a_new_client_and_of_a_stolen_one(clock: Clock) -> None:
    outbox = Outbox()
    async with make(clock, outbox=outbox) as auth:
        world = World(auth, clock)
        await world.log_in()
        client_id = await world.register_client()
        code = await world.code(client_id)
        assert (await world.redeem(client_id, code)).status == 200
        await world.redeem(client_id, code)
        await auth.mail.drain(5)

        connected, disconnected = outbox.mails[-2:]
        assert connected.subject == "A program was connected to your account at Example"
        assert "“Claude” (localhost) use your account: Read your notes, Change your notes." in connected.text
        assert disconnected.subject == "A program was disconnected from your account at Example"


@pytest.mark.parametrize(
    "resources",
    [{}, {"mcp": Resource("N", {"a": "b"})}, {"/mcp/": Resource("N", {"a": "b"})}, {"/": Resource("N", {"a": "b"})}],
)
def test_a_resource_is_named_by_its_path(resources: dict[str, Resource]) -> None:
    with pytest.raises(ValueError, match="path"):
        AuthorizationServer(resources)


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ValueError, match="scopes"):
        Resource("N", {"openid": "x"})
    with pytest.raises(ValueError, match="scopes"):
        Resource("N", {"a": "x"}, calls={"tool": "b"})
    with pytest.raises(ValueError, match="redirect"):
        OAuthClient("N", ["http://example.com/"])
    resources = {"/mcp": Resource("N", {"a": "x"})}
    with pytest.raises(ValueError, match="id of a client"):
        AuthorizationServer(resources, clients={"dyn.x": OAuthClient("N", ["https://a.example/"])})
    with pytest.raises(ValueError, match="Pages"):
        make_auth(features=[*cheap(), AuthorizationServer(resources)])
    with pytest.raises(ValueError, match="mount"):
        make(Clock(), resources={"/auth": Resource("N", {"a": "x"})})
