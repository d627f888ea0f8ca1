"""The traceback of an error of a statement shows where it was raised."""

import traceback
from pathlib import Path

import pytest

from asgi_auth.storage.sql import SQLStorage

#: The files that hand a statement on, and raise none of these errors.
ABOVE = {"runner.py", "postgres_driver.py"}


@pytest.mark.parametrize("read", [True, False])
async def test_an_error_of_a_statement_keeps_the_place_where_it_was_raised(storage: SQLStorage, *, read: bool) -> None:
    with pytest.raises(Exception, match="nothing") as raised:
        await storage.run("SELECT nothing FROM {users}", {}, read=read)

    assert Path(traceback.extract_tb(raised.value.__traceback__)[-1].filename).name not in ABOVE
