"""State that is shared: threads with loops of their own on one `Auth`, and clocks that jump."""

import asyncio
import threading
from collections.abc import Callable

from asgi_auth import AuthMiddleware
from tests.support import Client, Clock, bearer, login, make_auth, register, who

THREADS, ROUNDS = 6, 25


def test_threads_with_loops_of_their_own_share_an_auth(fresh: Callable[[str], str]) -> None:
    auth = make_auth(fresh("sqlite"), token_cache=8)
    wrong: list[object] = []

    async def work(number: int) -> None:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        user_id = await register(auth, f"user{number}@example.com")
        for _ in range(ROUNDS):
            pair = await login(auth, f"user{number}@example.com")
            good = (await client.get("/", headers=bearer(pair))).json
            await client.post("/auth/logout", headers=bearer(pair))
            ended = (await client.get("/", headers=bearer(pair))).json
            if good["id"] != user_id or ended["id"]:
                wrong.append((number, good, ended))
        await auth.close()

    def run(number: int) -> None:
        try:
            asyncio.run(work(number))
        except Exception as error:  # noqa: BLE001 (told to the test)
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert len(auth.verifier._cache) <= 8 + THREADS


async def test_a_clock_that_jumps_revives_nothing_that_is_dead(clock: Clock) -> None:
    async with make_auth(clock=clock) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        await register(auth)
        ended, alive = await login(auth), await login(auth)
        await client.post("/auth/logout", headers=bearer(ended))

        for jump in (-3600, 3600, 3600, -3600):
            clock.move(jump)
            await auth.revocation.sync()
            refused = await client.get("/", headers=bearer(ended))
            again = await client.post("/auth/refresh", {"refresh_token": ended.refresh_token})
            assert (refused.json["id"], again.status) == ("", 401)

        assert (await client.get("/", headers=bearer(alive))).json["id"]
