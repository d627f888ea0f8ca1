"""Four processes and one passkey: what is used once is used once, and two logins at once are both in."""

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


async def outcomes(client: httpx2.AsyncClient, urls: list[str], sent: list[dict[str, Any]]) -> Counter[str]:
    calls = [
        client.post(f"{urls[number % len(urls)]}/auth/login/passkey", json={"credential": each})
        for number, each in enumerate(sent)
    ]
    answers = await asyncio.gather(*calls)
    return Counter(answer.json().get("code", "in") for answer in answers)


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_one_use_in_four_processes_logs_in_once(driver: str, fresh: Callable[[str], str]) -> None:
    with cluster(fresh(driver), module="tests.passkeys.worker") as urls:
        async with httpx2.AsyncClient(timeout=30) as client:
            device = await owner(client, urls[0])
            sent = device.get(await asked(client, urls[0]))

            found = await outcomes(client, urls, [sent] * CALLS)

            assert found == {"in": 1, "invalid_passkey": CALLS - 1}
            many = [device.get(await asked(client, urls[number % 4])) for number in range(8)]
            assert await outcomes(client, urls, many) == {"in": 8}
