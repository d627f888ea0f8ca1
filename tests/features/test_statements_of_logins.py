"""How many statements a login takes, with a second factor and without; `docs/performance.md` says the same."""

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import RecoveryCodes
from asgi_auth.storage.rows import Row
from asgi_auth.storage.runner import Runner
from tests.features.factors import a_world
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import login

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


#: Set in the task of a test, and so not in tasks that run in the background.
counting: ContextVar[bool] = ContextVar("counting", default=False)


class Count:
    """Counts the statements of all storages of this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: list[str] = []
        run = Runner.run

        async def counted(
            storage: Runner, statement: str, values: Mapping[str, Any], *, read: bool = False
        ) -> Sequence[Row]:
            if counting.get():
                self.statements.append(statement)
            return await run(storage, statement, values, read=read)

        monkeypatch.setattr(Runner, "run", counted)
        counting.set(True)

    def taken(self) -> str:
        """Return the reads and writes since the last call, as the page says them."""
        reads = sum(statement.lstrip().startswith("SELECT") for statement in self.statements)
        writes = len(self.statements) - reads
        self.statements.clear()
        return f"{_of(reads, 'read')}, {_of(writes, 'write')}"


def _of(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


@pytest.mark.parametrize("database", FILES_AND_SERVERS)
async def test_the_page_says_how_many_statements_a_login_takes(
    database: str, fresh: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_world(fresh(database)) as world:
        await login(world.auth)
        count, taken = Count(monkeypatch), dict[str, str]()
        await login(world.auth)
        taken["a login without a second factor"] = count.taken()
        inside = await world.turn_on()
        count.taken()
        pending = await world.pending()
        taken["the first step of a login with one"] = count.taken()
        await world.totp.totp_login(pending=pending, code=world.code())
        taken["its second step, by the code of an app"] = count.taken()
        codes = (await world.auth[RecoveryCodes].recovery_codes(identity=await world.identity(inside))).codes
        pending = await world.pending()
        count.taken()
        await world.auth[RecoveryCodes].recovery_code_login(pending=pending, code=codes[0])
        taken["its second step, by a recovery code"] = count.taken()

    page = PAGE.read_text("utf-8")
    for name, statements in taken.items():
        assert f"| {name} | {statements} |" in page, f"{name}: {statements}"
