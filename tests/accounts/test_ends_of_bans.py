"""The end of a ban as a host gives it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from asgi_auth import Auth
from tests.support import register


@pytest.mark.parametrize("end", ["2027-01-31", datetime(2027, 1, 31, tzinfo=UTC), True], ids=["text", "time", "bool"])
async def test_the_end_of_a_ban_is_a_number(end: Any, auth: Auth) -> None:
    user_id = await register(auth)

    with pytest.raises(TypeError, match=r"^until: give the end as seconds since 1970$"):
        await auth.users.ban(user_id, until=end)

    assert (await auth.users.get(user_id)).status == "active"
