"""What the server did not judge is no attempt at the password beside a link or a code."""

import asyncio
import time

import pytest

from asgi_auth.bounds.deadline import current
from asgi_auth.errors import BusyError
from asgi_auth.feature import PasswordService
from tests.features.flows import flows
from tests.support import PASSWORD


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("by", ["link", "code"])
async def test_a_busy_hasher_uses_up_no_attempt(by: str, is_late: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 (pytest gives it)
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
            if is_late and (bound := current()) is not None:
                bound.until = time.monotonic()
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


async def test_a_call_that_is_cancelled_uses_up_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    async with flows(enumeration="hide") as app:
        await app.register()
        token = (await app.mail("register")).token
        checking = asyncio.Event()

        async def slow(*_: object) -> bool:
            checking.set()
            await asyncio.sleep(60)
            return True

        with monkeypatch.context() as patch:
            patch.setattr(app.auth[PasswordService].hasher, "verify", slow)
            for _ in range(9):
                checking.clear()
                call = asyncio.create_task(app.verify(token))
                await asyncio.wait([asyncio.create_task(checking.wait()), call], return_when=asyncio.FIRST_COMPLETED)
                assert not call.done()
                call.cancel()
                await asyncio.wait([call])

        assert (await app.verify(token)).status == 204
