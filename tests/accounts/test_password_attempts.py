"""What the server did not judge is no attempt at the password beside a link or a code."""

import pytest

from asgi_auth.errors import BusyError
from asgi_auth.feature import PasswordService
from tests.features.flows import flows
from tests.support import PASSWORD


@pytest.mark.parametrize("by", ["link", "code"])
async def test_a_busy_hasher_uses_up_no_attempt(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with flows(enumeration="hide") as app:
        await app.register()
        first = await app.mail("register")
        proof = {"token": first.token}
        if by == "code":
            # A mail that any caller can ask for: its code needs the password, too.
            app.clock.move(61)
            request = (await app.client.post("/auth/resend-verification", {"email": first.to})).json["request"]
            proof = {"request": request, "code": (await app.mail("register")).code}

        async def busy(*_: object) -> bool:
            raise BusyError

        hasher = app.auth[PasswordService].hasher
        with monkeypatch.context() as patch:
            patch.setattr(hasher, "verify", busy)
            answers = [
                (await app.client.post("/auth/verify-email", {**proof, "password": PASSWORD})).status for _ in range(9)
            ]

        assert answers == [503] * 9
        assert (await app.client.post("/auth/verify-email", {**proof, "password": PASSWORD})).status == 204


async def test_a_wrong_password_beside_a_right_code_counts() -> None:
    async with flows(enumeration="hide") as app:
        await app.register()
        to = (await app.mail("register")).to
        app.clock.move(61)
        request = (await app.client.post("/auth/resend-verification", {"email": to})).json["request"]
        code = {"request": request, "code": (await app.mail("register")).code}

        wrong = [
            (await app.client.post("/auth/verify-email", {**code, "password": f"guess number {number}"})).status
            for number in range(7)
        ]

        assert wrong == [401] * 5 + [400] * 2
        assert (await app.client.post("/auth/verify-email", {**code, "password": PASSWORD})).status == 400
