"""Refresh tokens: one spelling each, judged before the database."""

import base64
import hmac

import pytest

from asgi_auth import Auth
from asgi_auth.errors import InvalidTokenError, TokenRevokedError
from tests.support import CountingStorage, login, make_auth, register

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def decode(mac: str) -> bytes:
    return base64.urlsafe_b64decode(mac + "=")


async def test_a_refresh_token_has_one_spelling_and_others_cost_no_statement() -> None:
    storage = CountingStorage()
    async with make_auth(storage, max_revocation_lag=60) as auth:
        await register(auth)
        token = str((await login(auth)).refresh_token)
        session, generation, mac = token.split(".")
        other = base64.urlsafe_b64encode(hmac.digest(b"x", b"x", "sha256")).decode()[:43]
        storage.statements.clear()

        for spelling in (
            token.upper(),
            session.upper() + f".{generation}.{mac}",
            f"{session}.{generation}.{mac.swapcase()}",
            token + "=",
            token + "\n",
            " " + token,
            f"{session}.00.{mac}",
            f"{session}.+0.{mac}",
            f"{session}.-0.{mac}",
            f"{session}.\u0660.{mac}",
            f"{session}.1.{mac}",
            f"{session}.{10**12}.{mac}",
            session.replace("-", "") + f".{generation}.{mac}",
            "{" + session + "}" + f".{generation}.{mac}",
            token[:-1],
            token[:-1] + next(letter for letter in "AQ" if decode(mac[:-1] + letter) != decode(mac)),
            f"{session}.{generation}.{other}",
            f"{session}.{generation}.",
            f"{session}.{generation}",
            session,
            "",
            "." * 8000,
            "é" * 80,
        ):
            with pytest.raises(InvalidTokenError) as caught:
                await auth.refresh(spelling)
            assert not isinstance(caught.value, TokenRevokedError)

        assert storage.statements == []
        assert await auth.refresh(token)


async def test_the_last_character_of_a_refresh_token_has_no_twin(auth: Auth) -> None:
    await register(auth)
    token = str((await login(auth)).refresh_token)
    mac = token.rpartition(".")[2]
    twins = [letter for letter in ALPHABET if letter != mac[-1] and decode(mac[:-1] + letter) == decode(mac)]

    for twin in twins:
        with pytest.raises(InvalidTokenError):
            await auth.refresh(token[:-1] + twin)

    assert len(twins) == 3
