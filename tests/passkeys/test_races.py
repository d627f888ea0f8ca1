"""Four processes and one passkey: what is used once is used once, and two logins at once are both in.

Registrations with passkeys make one account for an address.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from asgi_auth.testing.passkey import Passkey
from tests.cluster import account_at, cluster
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import ORIGIN

CALLS = 32


async def owner(client: httpx2.AsyncClient, url: str) -> Passkey:
    """Register an account with a synced passkey: it has no counter that could refuse a replay in place of the mark."""
    device = Passkey(origin=ORIGIN, synced=True)
    pair = (await client.post(f"{url}/auth/login", json=await account_at(client, url, "ada"))).json()
    headers = {"authorization": f"Bearer {pair['access_token']}"}
    options = (await client.post(f"{url}/auth/passkeys/options", json={}, headers=headers)).json()["options"]
    made = {"credential": device.create(options)}
    added = await client.post(f"{url}/auth/passkeys", json=made, headers=headers)
    assert added.status_code == 201, added.text
    return device


async def asked(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    answer = await client.post(f"{url}/auth/login/passkey/options", json={})
    found: dict[str, Any] = answer.json()["options"]
    return found


async def outcomes(
    client: httpx2.AsyncClient, urls: list[str], path: str, bodies: list[dict[str, Any]]
) -> Counter[str]:
    """Send all bodies at once, over all processes."""
    calls = [client.post(f"{urls[number % len(urls)]}/auth/{path}", json=body) for number, body in enumerate(bodies)]
    answers = await asyncio.gather(*calls)
    return Counter(answer.json().get("code", "in") for answer in answers)


async def new_account(client: httpx2.AsyncClient, url: str, email: str) -> dict[str, Any]:
    """Make a passkey for a new account; return the body that registers it."""
    asked = (await client.post(f"{url}/auth/register/passkey/options", json={"email": email})).json()
    made = Passkey(origin=ORIGIN).create(asked["options"])
    return {"email": email, "request": asked["request"], "credential": made}


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_one_use_in_four_processes_logs_in_once(driver: str, fresh: Callable[[str], str]) -> None:
    with cluster(fresh(driver), module="tests.passkeys.worker") as urls:
        async with httpx2.AsyncClient(timeout=30) as client:
            device = await owner(client, urls[0])
            sent = device.get(await asked(client, urls[0]))

            found = await outcomes(client, urls, "login/passkey", [{"credential": sent}] * CALLS)

            assert found == {"in": 1, "invalid_passkey": CALLS - 1}
            many = [{"credential": device.get(await asked(client, urls[number % 4]))} for number in range(8)]
            assert await outcomes(client, urls, "login/passkey", many) == {"in": 8}

            body = await new_account(client, urls[0], "eve@example.com")
            found = await outcomes(client, urls, "register/passkey", [body] * CALLS)
            assert found["in"] == 1
            # A call that comes late finds the account, and the others the passkey or the mark.
            assert found.keys() <= {"in", "invalid_passkey", "passkey_exists", "user_exists"}
            several = [await new_account(client, urls[number % 4], "bob@example.com") for number in range(8)]
            found = await outcomes(client, urls, "register/passkey", several)
            assert found == {"in": 1, "user_exists": 7}
