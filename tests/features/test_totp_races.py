"""Second factors in concurrent logins: each code, each pending login and each setup has one winner."""

import asyncio
import base64

import pytest

from asgi_auth import RecoveryCodes, SecondFactors
from asgi_auth.errors import AuthError, SecondFactorSetupRequiredError
from asgi_auth.features.totp.codes import code_at
from tests.features.factors import a_world
from tests.storage.conftest import Servers
from tests.support import login


async def test_a_setup_of_a_login_is_refused_once_the_user_has_a_factor() -> None:
    async with a_world() as world:
        world.auth[SecondFactors].required = True
        pendings = []
        for _ in range(2):
            with pytest.raises(SecondFactorSetupRequiredError) as refused:
                await login(world.auth)
            pendings.append(refused.value.pending)
        setups = [await world.totp.totp_setup(pending=pending) for pending in pendings]

        async def turn_on(number: int) -> str:
            key = base64.b32decode(setups[number].secret)
            code = code_at(key, int(world.clock() // 30))
            try:
                await world.totp.totp_turn_on(request=setups[number].request, code=code, pending=pendings[number])
            except AuthError as error:
                return error.code
            return "in"

        results = await asyncio.gather(turn_on(0), turn_on(1))

        assert sorted(results) in (["factor_exists", "in"], ["in", "invalid_code"])


@pytest.mark.parametrize("database", ["sqlite", "postgres15"])
async def test_of_many_logins_with_one_code_one_gets_in(servers: Servers, database: str) -> None:
    url = "sqlite://" if database == "sqlite" else servers.get(database).database()
    async with a_world(url) as world:
        await world.turn_on()
        for _ in range(3):
            pendings = [await world.pending() for _ in range(8)]

            results = await asyncio.gather(*(world.outcome(world.code(), pending) for pending in pendings))

            assert sorted(results) == ["in"] + ["invalid_code"] * 7
            world.clock.move(7200)
            await world.log_in()
            world.clock.move(30)


@pytest.mark.parametrize("database", ["sqlite", "postgres15"])
async def test_of_many_logins_with_one_recovery_code_one_gets_in(servers: Servers, database: str) -> None:
    url = "sqlite://" if database == "sqlite" else servers.get(database).database()
    async with a_world(url) as world:
        pair = await world.turn_on()
        feature = world.auth[RecoveryCodes]
        first, second, third, *_ = (await feature.recovery_codes(identity=await world.identity(pair))).codes

        async def outcome(code: str, pending: str) -> str:
            try:
                await feature.recovery_code_login(pending=pending, code=code)
            except AuthError as error:
                return error.code
            return "in"

        pendings = [await world.pending() for _ in range(16)]
        same = await asyncio.gather(*(outcome(first, pending) for pending in pendings))
        pendings = [await world.pending() for _ in range(2)]
        different = await asyncio.gather(*map(outcome, (second, third), pendings))

        assert same.count("in") == 1
        assert different == ["in", "in"]
        left = await feature.recovery_codes_left(identity=await world.identity(await world.log_in()))
        assert left.left == 5
