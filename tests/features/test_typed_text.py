"""What people type and paste means the same at every endpoint: addresses, passwords and codes."""

import sqlite3
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Auth, Pages, Passwords, RateLimits, Sessions
from asgi_auth._typed_text import plain_code
from asgi_auth.crypto.argon2 import Argon2
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.pages.flows import all_features
from tests.support import EMAIL, PASSWORD, bearer, make_auth, register

MARGINS = [
    (" ", ""), ("", " "), ("", "\n"), ("\t", "\r\n"), ("\u00a0", "\u3000"), ("\ufeff", "\u200b"),
    ("\u200e", "\u200f"), ("\u202a", "\u202c"), ("\u2066", "\u2069"), ("\u00ad", "\u2060"), ("", "\ufe0f"),
]  # fmt: skip


async def reset(app: Flows, **fields: str) -> int:
    body = {"new_password": NEW_PASSWORD, **fields}
    return (await app.client.post("/auth/reset-password", body)).status


@pytest.mark.parametrize(("before", "after"), MARGINS)
async def test_marks_around_an_address_are_removed_at_every_endpoint(before: str, after: str) -> None:
    typed = f"{before}{EMAIL}{after}"
    async with flows(features=all_features(Pages())) as app:
        client = app.client
        await app.verified(typed)
        assert (await app.auth.users.by_email(typed)).email == EMAIL

        logged_in = await app.login(email=typed)
        by_form = await client.post(
            "/auth/token",
            body=f"grant_type=password&username=%20{EMAIL}%e2%80%8b&password={PASSWORD.replace(' ', '+')}".encode(),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        taken = await client.post("/auth/register", {"email": typed, "password": PASSWORD})
        for path, purpose in (
            ("forgot-password", "reset_password"),
            ("magic-link", "magic_link"),
            ("request-unlock", "unlock"),
        ):
            assert (await client.post(f"/auth/{path}", {"email": typed})).status == 202
            assert (await app.mail(purpose)).to == EMAIL
        moved = await client.post(
            "/auth/change-email",
            {"new_email": f"{before}grace@example.com{after}", "password": PASSWORD},
            headers=bearer(logged_in.json["access_token"]),
        )
        assert (await app.mail("change_email")).to == "grace@example.com"

    assert (logged_in.status, by_form.status, taken.status, moved.status) == (200, 200, 409, 202)


async def test_spellings_of_an_address_share_their_limit() -> None:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), RateLimits({"login": "3/h/account"})]
    async with flows(features=features) as app:
        typed = [EMAIL, f" {EMAIL}", f"{EMAIL}\u200b", f"\u202a{EMAIL.upper()}"]
        statuses = [(await app.login("wrong password", email)).status for email in typed]

    assert statuses == [401, 401, 401, 429]


CODES: dict[str, Callable[[str], str]] = {
    "a hyphen": lambda code: f"{code[:4]}-{code[4:]}",
    "other hyphens": lambda code: "\u2011".join([code[:2], code[2:4], code[4:6], code[6:]]),
    "a dash and a minus": lambda code: f"{code[:3]}\u2013{code[3:6]}\u2212{code[6:]}",
    "spaces": lambda code: f" {code[:2]} {code[2:5]}\u00a0{code[5:]}\n",
    "zero width": lambda code: f"\u200b{code[:4]}\u200d{code[4:]}\ufeff",
    "bidi marks": lambda code: f"\u202a{code}\u202c\u200e",
    "full-width digits": lambda code: "".join(chr(ord(digit) + 0xFEE0) for digit in code),
    "Arabic digits": lambda code: "".join(chr(ord(digit) + 0x0630) for digit in code),
}


@pytest.mark.parametrize("spelling", CODES)
async def test_a_code_is_read_in_every_spelling(spelling: str) -> None:
    async with flows() as app:
        await app.verified()
        request = (await app.client.post("/auth/forgot-password", {"email": EMAIL})).json["request"]
        code = (await app.mail("reset_password")).code

        wrong = "".join(str(9 - int(digit)) for digit in code)
        assert await reset(app, request=request, code=CODES[spelling](wrong)) == 400
        assert await reset(app, request=request, code=CODES[spelling](code)) == 204


@pytest.mark.parametrize("text", ["1234567x", "1234 567", "12.345.678", "+12345678", "", "①2345678", "1234567½"])
def test_nothing_else_becomes_a_code(text: str) -> None:
    code = plain_code(text)

    assert len(code) != 8 or not (code.isascii() and code.isdigit())


async def test_a_password_may_be_typed_in_any_composition_at_every_endpoint() -> None:
    composed = "Größenwahn-é-2026"
    decomposed = unicodedata.normalize("NFD", composed)
    async with flows() as app:
        await app.verified(password=decomposed)
        headers = await app.headers(composed)
        assert (await app.login(decomposed)).status == 200
        body = {"current_password": composed, "new_password": decomposed}
        same = await app.client.post("/auth/change-password", body, headers=headers)
        body = {"current_password": decomposed, "new_password": composed + "!"}
        changed = await app.client.post("/auth/change-password", body, headers=headers)
        assert (await app.login(decomposed + "!")).status == 200
        short = unicodedata.normalize("NFD", "äöüß")
        refused = await app.client.post("/auth/register", {"email": "x@example.com", "password": short})

    assert (same.status, changed.status, refused.status) == (422, 204, 422)


@pytest.mark.parametrize("email", ["ada@corp.local", "ada@nas.home.arpa", '"ada..lovelace"@docomo.ne.jp'])
async def test_a_setting_lets_addresses_of_private_networks_in(email: str) -> None:
    async with flows(private_addresses=True) as app:
        await app.verified(email)
        assert (await app.login(email=email.upper() if '"' not in email else email)).status == 200
        await app.client.post("/auth/forgot-password", {"email": email})
        assert (await app.mail("reset_password")).to == email
        body = {"new_email": f"x.{email}" if '"' not in email else f'"x{email[1:]}', "password": PASSWORD}
        moved = await app.client.post("/auth/change-email", body, headers=await app.headers(email=email))
    async with flows() as app:
        refused = await app.register(email)
        await app.verified()
        body = {"new_email": email, "password": PASSWORD}
        stays = await app.client.post("/auth/change-email", body, headers=await app.headers())

    assert moved.status == 202
    assert (refused.status, list(refused.json["errors"])) == (422, ["email"])
    assert (stays.status, list(stays.json["errors"])) == (422, ["new_email"])


async def test_rows_of_earlier_versions_move_by_the_documented_statement(tmp_path: Path) -> None:
    """They were folded: `straße@` was kept as `strasse@`."""
    path = tmp_path / "auth.db"
    text = (Path(__file__).parents[2] / "docs/guides/moving.md").read_text("utf-8")
    statement = text.partition("```sql\n")[2].partition("```")[0]
    auth = make_auth(f"sqlite:///{path}")
    async with auth:
        await register(auth, "Straße@bücher.example")
        await register(auth, "Ada@example.com")
    before = rows(path, "UPDATE auth_users SET email_canonical = replace(email_canonical, 'ß', 'ss')")
    assert before[0] == "strasse@xn--bcher-kva.example"

    after = rows(path, statement)

    assert after == ["straße@xn--bcher-kva.example", "ada@example.com"]
    async with make_auth(f"sqlite:///{path}") as auth:
        assert await can_log_in(auth, "STRASSE@bücher.example") is False
        assert await can_log_in(auth, "straße@bücher.example") is True


def rows(path: Path, statement: str) -> list[Any]:
    """The canonical addresses after a statement."""
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
        connection.commit()
        found = [row[0] for row in connection.execute("SELECT email_canonical FROM auth_users ORDER BY created_at, id")]
    connection.close()
    return found


async def can_log_in(auth: Auth, email: str) -> bool:
    try:
        await auth[Passwords].login(email=email, password=PASSWORD)
    except Exception:  # noqa: BLE001 (any refusal is one)
        return False
    return True
