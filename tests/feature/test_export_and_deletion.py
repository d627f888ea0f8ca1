"""A feature takes part in the export of a user, and in its deletion, inside the transaction."""

from collections.abc import Mapping
from typing import Any

import pytest

from asgi_auth import AuthApp
from asgi_auth.errors import ForbiddenError
from asgi_auth.feature import Feature, User
from asgi_auth.storage import Storage
from tests.support import Client, bearer, cheap, login, make_auth, register


class Orders(Feature):
    """Stores orders."""

    def __init__(self) -> None:
        self.orders: dict[str, list[str]] = {}
        self.kept = False

    async def exported(self, user: User) -> Mapping[str, Any]:
        return {"orders": self.orders[user.id]} if user.id in self.orders else {}

    async def before_delete(self, storage: Storage, user: User) -> None:
        await storage.update_user(user.id, {"roles": ("gone",)}, 1)
        if self.kept:
            raise ForbiddenError("There is an open order.")
        self.orders.pop(user.id, None)


async def test_the_export_has_what_a_feature_stores() -> None:
    async with make_auth(features=[*cheap(), Orders()]) as auth:
        user_id = await register(auth)
        client, headers = Client(AuthApp(auth)), bearer(await login(auth))
        assert (await client.get("/me/export", headers=headers)).json["features"] == {}

        auth[Orders].orders[user_id] = ["tea"]

        assert (await client.get("/me/export", headers=headers)).json["features"] == {"Orders": {"orders": ["tea"]}}


async def test_a_deletion_takes_what_a_feature_stores_or_is_undone() -> None:
    async with make_auth(features=[*cheap(), Orders()]) as auth:
        user_id = await register(auth)
        auth[Orders].orders[user_id], auth[Orders].kept = ["tea"], True

        with pytest.raises(ForbiddenError):
            await auth.users.delete(user_id)

        assert (await auth.users.get(user_id)).roles == ()
        auth[Orders].kept = False
        await auth.users.delete(user_id)
        assert auth[Orders].orders == {}
