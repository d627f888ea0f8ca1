"""Administrators who act on each other at once: one is left, whatever the database and the number of processes."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from asgi_auth import Admin, Auth
from asgi_auth.errors import AuthError
from asgi_auth.sessions.identity import Identity
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import PASSWORD, Clock, cheap, login, make_auth

PROCESSES = 4
ROOT = Path(__file__).parents[2]


async def two_administrators(auth: Auth) -> list[tuple[str, str]]:
    """Return the ids and access tokens."""
    found = []
    for name in ("one", "two"):
        user = await auth.users.create(f"{name}@example.com", password=PASSWORD, roles=["admin"])
        found.append((user.id, (await login(auth, user.email)).access_token))
    return found


def in_processes(url: str, given: Sequence[tuple[str, str]]) -> list[str]:
    """Act by an access token on the user with an id, for each pair in a process of its own; return the outcomes."""
    command = [sys.executable, "-m", "tests.features.admin_worker", url]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in given
    ]
    try:
        for each, (token, user_id) in zip(started, given, strict=True):
            assert each.stdin is not None
            each.stdin.write(f"{token} {user_id}\n")
            each.stdin.flush()
        for each in started:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in started:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        return [word for each in started for word in each.communicate(timeout=100)[0].split()]
    finally:
        for each in started:
            each.kill()
            each.communicate()


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_of_two_administrators_who_demote_each_other_in_many_processes_one_is_left(
    driver: str, fresh: Callable[[str], str]
) -> None:
    url = fresh(driver)
    async with make_auth(url, clock=Clock(), features=[*cheap(), Admin(second_factor=False)]) as auth:
        (one, by_one), (two, by_two) = await two_administrators(auth)

        outcomes = in_processes(url, [(by_one, two), (by_two, one)] * (PROCESSES // 2))

        roles = [(await auth.users.get(user_id)).roles for user_id in (one, two)]
        assert sorted(roles) == [(), ("admin",)]
        assert len(outcomes) == 16
        assert set(outcomes) == {"demoted", "forbidden"}


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_of_two_administrators_who_close_their_accounts_in_two_processes_one_is_left(
    driver: str, fresh: Callable[[str], str]
) -> None:
    url = fresh(driver)
    async with make_auth(url, clock=Clock(), features=[*cheap(), Admin(second_factor=False)]) as auth:
        (one, by_one), (two, by_two) = await two_administrators(auth)

        outcomes = in_processes(url, [(by_one, one), (by_two, two)])

        status = [(await auth.users.get(user_id)).status for user_id in (one, two)]
        assert sorted(status) == ["active", "closed"]
        assert (len(outcomes), outcomes.count("closed"), outcomes.count("last_administrator")) == (8, 1, 4)


#: What two administrators can do to each other.
ACTS: dict[str, Callable[[Auth, str, Identity], object]] = {
    "roles": lambda auth, user_id, by: auth[Admin].set_user_roles(id=user_id, roles=[], identity=by),
    "disable": lambda auth, user_id, by: auth[Admin].disable_user(id=user_id, identity=by),
    "delete": lambda auth, user_id, by: auth[Admin].delete_user(id=user_id, identity=by),
    "sessions": lambda auth, user_id, by: auth[Admin].end_user_sessions(id=user_id, identity=by),
}


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
@pytest.mark.parametrize("act", ACTS)
async def test_of_two_who_act_on_each_other_one_wins(driver: str, act: str, fresh: Callable[[str], str]) -> None:
    async with make_auth(fresh(driver), clock=Clock(), features=[*cheap(), Admin(second_factor=False)]) as auth:
        (one, by_one), (two, by_two) = await two_administrators(auth)
        identities = {two: await auth.authenticate(by_one), one: await auth.authenticate(by_two)}

        async def attempt(user_id: str) -> str:
            try:
                await ACTS[act](auth, user_id, identities[user_id])  # type: ignore[misc]  # all are coroutines
            except AuthError as error:
                return error.code
            return "done"

        outcomes = await asyncio.gather(*(attempt(user_id) for user_id in (one, two) * 4))

        # At least one administrator is left, and no call waited in vain.
        left = [user for user in (await auth.users.list()).users if user.status == "active" and "admin" in user.roles]
        assert len(left) >= 1
        assert "storage_unavailable" not in outcomes
        assert "done" in outcomes
