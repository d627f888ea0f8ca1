"""One-time tokens themselves: strong, of one spelling, unknown to the database, found under every secret in use."""

import re

from asgi_auth import Auth, Outbox, PasswordReset, Settings
from asgi_auth.storage.sqlite import SQLite
from tests.features.flows import flows
from tests.support import EMAIL, SECRET, CountingStorage, make_auth, register

OTHER = "pL3-xBn8_tY6wQz1MvK4jHd9sRf2gCa7eUo5iXyE0b"


async def test_tokens_are_strong_and_all_different() -> None:
    async with flows() as app:
        await app.verified()
        tokens, codes = set(), set()
        for _ in range(5):
            await app.client.post("/auth/forgot-password", {"email": EMAIL})
            mail = await app.mail("reset_password")
            tokens.add(mail.token)
            codes.add(mail.code)
            app.clock.move(61)

    assert len(tokens) == len(codes) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}", token) for token in tokens)
    assert all(re.fullmatch(r"\d{8}", code) for code in codes)


async def test_garbage_costs_no_statement() -> None:
    storage = CountingStorage()
    async with flows(storage, max_revocation_lag=60) as app:
        storage.statements.clear()

        for token in ("x", "x." + "y" * 43, "." * 8000, "é", "a" * 87):
            body = {"token": token, "new_password": "another battery staple"}
            assert (await app.client.post("/auth/reset-password", body)).status == 400

        assert storage.statements == []


async def test_the_database_holds_neither_token_nor_code(tmp_path: object) -> None:
    path = f"{tmp_path}/auth.db"
    async with flows(SQLite(path)) as app:
        await app.verified()
        await app.client.post("/auth/forgot-password", {"email": EMAIL})
        mail = await app.mail("reset_password")
        rows = await app.auth.storage.run("SELECT * FROM {tokens}", {})  # type: ignore[attr-defined]  # SQLite has it

        text = repr([tuple(row) for row in rows])

        assert "reset_password" in text
        assert mail.code not in text
        assert mail.token.partition(".")[0] not in text


async def test_a_new_secret_voids_no_mail(tmp_path: object) -> None:
    outbox, url = Outbox(), f"sqlite:///{tmp_path}/auth.db"
    async with make_auth(url, mailer=outbox) as old:
        await register(old)
        asked = await old[PasswordReset].forgot_password(email=EMAIL)
        mail = await outbox.next("reset_password")

    settings = Settings(secret=[OTHER, SECRET], base_url="https://app.example.com")
    async with Auth(url, settings=settings, mailer=outbox) as new:
        purpose = new[PasswordReset].purpose
        by_token = await new.one_time.find((purpose,), mail.token, "", "")
        by_code = await new.one_time.find((purpose,), "", asked.request, mail.code)

    assert by_token.id == by_code.id == asked.request


async def test_without_a_base_url_mails_hold_the_code_alone() -> None:
    async with flows(base_url=None) as app:
        await app.register()
        mail = await app.mail("verify_email")

        assert mail.link == ""
        assert mail.code in mail.text
        assert "http" not in mail.text
