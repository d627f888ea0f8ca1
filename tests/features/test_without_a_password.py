"""Users without a password close their accounts, change their addresses and set a password, with a fresh login."""

from typing import Any

import pytest

from asgi_auth import Account, Auth, EmailChange, MagicLink, Passwords
from asgi_auth.errors import AuthError, ForbiddenError
from asgi_auth.mail import Outbox
from asgi_auth.sessions.identity import Identity
from tests.support import EMAIL, PASSWORD, Clock, cheap, login, make_auth, register

NEW = "another horse battery"


class World:
    """A user whose address was proven by a magic link, which has disabled the password."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.outbox = Outbox()
        features = [*cheap(mail=True), MagicLink()]
        self.auth: Auth = make_auth(features=features, clock=self.clock, mailer=self.outbox)

    async def log_in(self) -> Identity:
        self.clock.move(601)
        await self.auth[MagicLink].magic_link(email=EMAIL)
        mail = await self.outbox.next("magic_link")
        pair = await self.auth[MagicLink].magic_link_login(token=mail.token)
        return await self.auth.authenticate(pair.access_token)


@pytest.fixture
async def world() -> World:
    made = World()
    await register(made.auth)
    return made


async def close(auth: Auth, identity: Identity) -> Any:
    await auth[Account].close_account(identity=identity)


async def change(auth: Auth, identity: Identity) -> Any:
    await auth[EmailChange].change_email(new_email="new@example.com", identity=identity)


async def set_password(auth: Auth, identity: Identity) -> Any:
    await auth[Passwords].set_password(new_password=NEW, identity=identity)


@pytest.mark.parametrize("action", [close, change, set_password])
async def test_a_fresh_login_takes_the_place_of_the_password(world: World, action: Any) -> None:
    identity = await world.log_in()
    world.clock.move(601)
    with pytest.raises(AuthError) as refused:
        await action(world.auth, identity)
    assert (refused.value.code, refused.value.members()) == ("fresh_login_required", {})

    await action(world.auth, await world.log_in())


async def test_the_new_password_logs_in_and_is_set_once(world: World) -> None:
    identity = await world.log_in()

    await set_password(world.auth, identity)

    assert await login(world.auth, password=NEW)
    with pytest.raises(ForbiddenError):
        await set_password(world.auth, identity)
    with pytest.raises(AuthError):
        await login(world.auth, password=PASSWORD)


async def test_who_has_a_password_may_leave_it_out_after_a_fresh_login_only(world: World) -> None:
    await set_password(world.auth, await world.log_in())
    identity = await world.auth.authenticate((await login(world.auth, password=NEW)).access_token)
    world.clock.move(601)

    with pytest.raises(AuthError) as refused:
        await close(world.auth, identity)
    assert refused.value.members() == {"ways": ("password",)}

    pair = await world.auth[Passwords].reauthenticate(password=NEW, identity=identity)
    await close(world.auth, await world.auth.authenticate(pair.access_token))
    with pytest.raises(AuthError):
        await login(world.auth, password=NEW)


async def test_a_wrong_password_is_not_made_right_by_a_fresh_login(world: World) -> None:
    with pytest.raises(AuthError) as refused:
        await world.auth[Account].close_account(password="wrong", identity=await world.log_in())

    assert refused.value.code == "invalid_credentials"
