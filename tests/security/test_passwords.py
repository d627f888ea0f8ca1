"""Passwords: any of them, whole, by every door; and a place for a check against breaches."""

import inspect

import pytest

from asgi_auth import Argon2, AuthMiddleware, Pages, PasswordPolicy, PasswordReset, Passwords, Sessions
from asgi_auth.errors import PasswordPolicyError
from asgi_auth.feature import Call, Feature
from tests.features.flows import flows
from tests.pages.surfer import Surfer
from tests.security.naughty import NAUGHTY
from tests.support import EMAIL, PASSWORD, change_password, login, make_auth, register, who

GOOD = [
    "correct horse battery staple " * 4 + "0123456789AB",
    "   leading and trailing   ",
    "пароль-из-слов-и-знаков",
    "\U0001f600\U0001f601\U0001f602\U0001f603\U0001f604\U0001f605\U0001f606\U0001f607",
    "tk7fw2qz",
    "a\tb\nc\rd\x07e\x1bf",
    "Zwölf Boxkämpfer jagen",
    "x" * 3 + "Y" * 1021,
    *(text for text in NAUGHTY if "\0" not in text and 8 <= len(text) <= 1000),
]


@pytest.mark.parametrize("password", GOOD, ids=range(len(GOOD)))
async def test_any_password_that_is_long_enough_works_whole_by_every_door(password: str) -> None:
    async with flows() as app:
        await app.verified()
        assert (await change_password(app.client, await login(app.auth), password)).status == 204
        assert (await app.login(password)).status == 200
        for other in (password + "x", password[:-1], password.swapcase(), f" {password}", password.strip() + "\n"):
            assert other == password or (await app.login(other)).status in {401, 422}
        await app.client.post("/auth/forgot-password", {"email": EMAIL})
        token = (await app.mail("reset_password")).token
        body = {"token": token, "new_password": password}
        assert (await app.client.post("/auth/reset-password", body)).status == 204
        assert (await app.login(password)).status == 200


async def test_forms_help_managers_of_passwords_and_cut_nothing() -> None:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Pages()]
    async with make_auth(features=features) as auth:
        surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
        entering = (await surfer.get("login")).form("/login").inputs
        joining = (await surfer.get("register")).form("/register").inputs

    assert entering["email"]["autocomplete"] == "username"
    assert entering["password"]["autocomplete"] == "current-password"
    assert joining["password"]["autocomplete"] == "new-password"
    for field in (entering["password"], joining["password"]):
        assert field["type"] == "password"
        assert int(field.get("maxlength", "4096")) >= 64
        assert not {"onpaste", "pattern"} & field.keys()


def test_passwords_do_not_expire() -> None:
    options = {*inspect.signature(Passwords).parameters, *inspect.signature(PasswordPolicy).parameters}

    assert not [name for name in options if "age" in name or "expir" in name or "history" in name]


class Breached(Feature):
    """Refuses what a list of breaches knows."""

    async def before(self, call: Call) -> None:
        for name in ("password", "new_password"):
            if call.endpoint.name != "login" and call.values.get(name) == "tr0ub4dor&3 breached":
                raise PasswordPolicyError({name: ["This password stands in a list of breaches."]})


async def test_a_feature_can_refuse_breached_passwords_at_every_door() -> None:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), PasswordReset(), Breached()]
    async with flows(features=features) as app:
        bad = "tr0ub4dor&3 breached"
        refused = await app.register("eve@example.com", bad)
        await register(app.auth)
        changed = await change_password(app.client, await login(app.auth), bad)
        await app.client.post("/auth/forgot-password", {"email": EMAIL})
        token = (await app.mail("reset_password")).token
        reset = await app.client.post("/auth/reset-password", {"token": token, "new_password": bad})

        for answer in (refused, changed, reset):
            assert (answer.status, answer.json["code"]) == (422, "password_validation")
        assert (await app.login(PASSWORD)).status == 200
