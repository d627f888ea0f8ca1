"""What a caller finds in its own export tells nothing about other addresses."""

from typing import Any

from asgi_auth import Argon2, Audit, Passwords
from tests.features.flows import flows
from tests.support import EMAIL, PASSWORD, unlimited

MALLORY = "mallory@example.com"


async def export(*, known: bool) -> dict[str, list[Any]]:
    """A logged-in caller tries the address of another person everywhere, and exports their own records."""
    features = [Passwords(argon2=Argon2.cheap()), *unlimited(mail=True)]
    async with flows(features=features, enumeration="hide") as app:
        for email in (MALLORY, *([EMAIL] if known else [])):
            await app.register(email)
            await app.verify((await app.mail("register")).token)
        headers = await app.headers(email=MALLORY)
        for path, body in (
            ("/auth/login", {"email": EMAIL, "password": "a wrong password"}),
            ("/auth/change-email", {"new_email": EMAIL, "password": PASSWORD}),
            ("/auth/forgot-password", {"email": EMAIL}),
            ("/auth/resend-verification", {"email": EMAIL}),
            ("/auth/register", {"email": EMAIL, "password": PASSWORD}),
            ("/auth/verify-email", {"request": "x", "code": "00000000"}),
        ):
            await app.client.post(path, body, headers=headers)
        await app.auth[Audit].queue.flush()
        exported = (await app.client.get("/auth/me/export", headers=headers)).json
        return {
            "events": [(item["name"], item["outcome"]) for item in exported["events"]],
            "tokens": [(item["purpose"], item["subject"]) for item in exported["tokens"]],
        }


async def test_the_export_of_a_caller_does_not_tell_which_addresses_have_an_account() -> None:
    known, unknown = await export(known=True), await export(known=False)

    assert known == unknown
    assert ("change_email", EMAIL) in known["tokens"]
    assert ("login", "failure") not in known["events"]
