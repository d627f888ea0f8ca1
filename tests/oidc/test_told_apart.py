"""Each lie of a provider is told apart: a check of its own refuses it, and the log names the check."""

import re
from collections.abc import Callable

import pytest

from asgi_auth.testing.provider import LIES, Lie
from asgi_auth.testing.provider.lies import METADATA
from tests.oidc.test_linking import begun, logged_in
from tests.oidc.world import World, world
from tests.support import EMAIL, Answer

STATE = "invalid_login_state"
#: The cause in the event, by the beginnings of the names of lies; the first one that fits counts.
CAUSES = {
    "alg none|HS256|no alg$": "the algorithm of the ID token is not accepted",
    "another algorithm": "the provider has no key",
    "an unknown kid": "the provider has no key",
    "no token at all|a number as token|no ID token|a large": "there is no ID token",
    "no signature|a foreign key|a key in|an address of keys|changed claims": "not genuine",
    "a critical|a list as claims": "not genuine",
    "iss of another provider|no iss in": "the callback is of another issuer",
    "another iss|iss |a list as iss|no iss": "the ID token is of another issuer",
    "two aud|one aud, another": "given to another client",
    "another aud|an empty list as aud|aud that|no aud": "for another client",
    "expired|exp |no exp": "has expired",
    "issued|iat |no iat": "issued at another time",
    "another nonce|an empty nonce|a list as nonce|no nonce": "the nonce of the ID token is another one",
    "half a pair as nonce": "the nonce of the ID token is another one",
    "an empty sub|a number as sub|a long sub|no sub": "the ID token has no subject",
    "at_hash": "belongs to another access token",
    "userinfo": "the userinfo is of another subject",
    "an unknown code": "the token endpoint gave no token, with the status 400",
    "an object as error": "the token endpoint gave no token, with the status 200",
    "no code": "the login ended with ''",
}
#: Characters that no database stores, or that mean another line in a log.
UNSTORABLE = ["\x00", "\ud800", "\n", "\x7f", "é"]


def cause_of(lie: str) -> str:
    """The cause that a lie is refused for."""
    return next(cause for names, cause in CAUSES.items() if re.match(names, lie))


async def refused(app: World, answer: Answer, code: str, cause: str = "") -> None:
    """The browser got an error with a cause, no session, and no account."""
    assert (answer.status, answer.json["code"]) == (503 if code == "provider_unavailable" else 400, code)
    assert (await app.me()).status == 401
    assert await app.auth.storage.users(limit=10) == []
    assert cause not in answer.body.decode() or not cause


async def lied_to(lie: Lie | str, **shown: tuple[str, ...]) -> str:
    """Log in at a provider that lies; return the cause in the event."""
    async with world(provider=dict(shown)) as app:
        app.browser.headers["accept"] = "application/json"
        causes: list[str] = []
        app.auth.on("*")(lambda event: causes.extend([event.data["cause"]] if "cause" in event.data else []))
        app.op.lies(lie)
        answer = await app.login()
        await refused(app, answer, "provider_refused", causes[-1])
        assert len(causes) == 1
        return causes[-1]


@pytest.mark.parametrize("lie", [name for name in LIES if name not in METADATA and not name.endswith(" state")])
async def test_the_log_names_the_check_that_a_lie_fails(lie: str) -> None:
    shown = {"shown_at": ("userinfo",)} if lie.startswith("userinfo") else {}
    cause = await lied_to(lie, **shown)

    assert cause_of(lie) in cause


@pytest.mark.parametrize("lie", ["another state", "no state"])
async def test_a_false_state_is_refused_before_anything_is_asked(lie: str) -> None:
    async with world() as app:
        app.browser.headers["accept"] = "application/json"
        app.op.lies(lie)
        await refused(app, await app.login(), STATE)

        assert app.op.asked("token") == []


@pytest.mark.parametrize("lie", METADATA)
async def test_false_metadata_sends_no_browser_anywhere(lie: str) -> None:
    async with world() as app:
        app.op.lies(lie)
        answer = await app.browser.get("/auth/oidc/op/login", headers={"accept": "application/json"})

        await refused(app, answer, "provider_unavailable")
        assert answer.header("location") is None
        assert {url.split("/")[2] for url in app.network.asked} == {"id.example.com"}


@pytest.mark.parametrize("character", UNSTORABLE)
async def test_a_subject_has_printable_characters_of_ascii(character: str) -> None:
    cause = await lied_to(Lie(claims={"sub": f"7{character}"}))

    assert "no subject" in cause


@pytest.mark.parametrize("character", UNSTORABLE)
@pytest.mark.parametrize("driver", ["sqlite", "postgres15"])
async def test_a_name_that_no_database_stores_keeps_no_user_out(
    driver: str, character: str, fresh: Callable[[str], str]
) -> None:
    async with world(fresh(driver)) as app:
        app.op.lies(Lie(claims={"name": f"Ada{character}"}))

        assert (await app.login()).status == 303
        (shown,) = (await app.browser.get("/auth/identities")).json["identities"]
        assert shown["name"] == f"Ada{character if character.isprintable() else ''}"


@pytest.mark.parametrize("address", ["\ud800@example.com", "ada\x00@example.com", f"{EMAIL}\r\nBcc: eve@example.com"])
@pytest.mark.parametrize("driver", ["sqlite", "postgres15"])
async def test_an_address_that_no_database_stores_is_none(
    driver: str, address: str, fresh: Callable[[str], str]
) -> None:
    async with world(fresh(driver)) as app:
        app.op.lies(Lie(claims={"email": address}))

        asked = await app.login()
        assert (asked.status, asked.json["code"]) == (422, "email_needed")
        kept = await app.browser.get("/auth/oidc/pending-sign-up")
        assert (kept.status, kept.json["email"]) == (200, "")

        browser = await logged_in(app)
        assert (await browser.get(await begun(app, browser))).status == 303
        (shown,) = (await browser.get("/auth/identities")).json["identities"]
        assert shown["email"] == ""


async def test_white_space_around_an_address_keeps_no_user_out() -> None:
    async with world() as app:
        app.op.lies(Lie(claims={"email": f" {EMAIL}\n"}))

        assert (await app.login()).status == 303
        assert (await app.me()).json["email"] == EMAIL
