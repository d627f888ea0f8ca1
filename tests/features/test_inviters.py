"""Invitations whose inviter is judged: when they are made, and again when they are accepted."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from asgi_auth import Auth
from asgi_auth.accounts.authority import Administrator
from asgi_auth.errors import ForbiddenError, UnknownRoleError
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Event
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.features.test_invitations import accept, refused, token_of
from tests.support import EMAIL, cheap, login, register

PERMISSIONS = {"admin": ["*"], "editor": ["posts:write"], "helper": ["users:write", "users:roles", "users:read"]}


@pytest.fixture
async def app() -> AsyncIterator[Flows]:
    async with flows() as made:
        yield made


#: What happens to an inviter between the invitation and its acceptance, and whether the link is void then.
INVITERS: dict[str, tuple[bool, Callable[[Auth, str], Awaitable[object]]]] = {
    "nothing": (False, lambda auth, by: auth.users.get(by)),
    "a new password": (False, lambda auth, by: auth.users.set_password(by, "fifth battery staple")),
    "a lesser role that is enough": (False, lambda auth, by: auth.users.set_roles(by, ["helper", "editor"])),
    "a role without the right": (True, lambda auth, by: auth.users.set_roles(by, ["editor"])),
    "a role that lacks what is given": (True, lambda auth, by: auth.users.set_roles(by, ["helper"])),
    "a ban": (True, lambda auth, by: auth.users.ban(by)),
    "a closed account": (True, lambda auth, by: auth.users.set_status(by, "closed")),
    "deletion": (True, lambda auth, by: auth.users.delete(by)),
}


@pytest.mark.parametrize("change", INVITERS)
async def test_an_inviter_is_judged_again_at_the_acceptance(change: str) -> None:
    async with flows(permissions=PERMISSIONS, features=[*cheap(mail=True)]) as app:
        by = await app.auth.users.create("boss@example.com", roles=["admin"])
        judge = Administrator(by.id, (), app.auth.permissions)
        user = await app.auth.users.invite(EMAIL, roles=["editor"], by=judge)
        token = await token_of(app)
        is_void, happens = INVITERS[change]

        await happens(app.auth, by.id)

        await (refused if is_void else accept)(app.auth, token)
        assert (await app.auth.users.get(user.id)).roles == (() if is_void else ("editor",))
        assert (await app.login(NEW_PASSWORD)).status == (401 if is_void else 200)


#: What takes the right of an inviter, and what gives it back.
RETURNS: dict[str, tuple[Callable[[Auth, str], Awaitable[object]], Callable[[Auth, str], Awaitable[object]]]] = {
    "a ban": (lambda auth, by: auth.users.ban(by), lambda auth, by: auth.users.unban(by)),
    "a lesser role": (
        lambda auth, by: auth.users.set_roles(by, ["editor"]),
        lambda auth, by: auth.users.set_roles(by, ["admin"]),
    ),
}


@pytest.mark.parametrize("driver", ["sqlite", "postgres18"])
@pytest.mark.parametrize("change", RETURNS)
async def test_an_invitation_that_was_refused_stays_void_when_the_right_of_its_inviter_comes_back(
    driver: str, change: str, fresh: Callable[[str], str]
) -> None:
    async with flows(fresh(driver), permissions=PERMISSIONS, features=[*cheap(mail=True)]) as app:
        by = await app.auth.users.create("boss@example.com", roles=["admin"])
        judge = Administrator(by.id, (), app.auth.permissions)
        await app.auth.users.invite(EMAIL, roles=["editor"], by=judge)
        token = await token_of(app)
        goes, comes_back = RETURNS[change]
        await goes(app.auth, by.id)
        await refused(app.auth, token)

        await comes_back(app.auth, by.id)

        await refused(app.auth, token)
        await app.auth.users.invite(EMAIL, roles=["editor"], by=judge)
        await accept(app.auth, await token_of(app))


async def test_an_invitation_that_no_one_tried_during_a_ban_works_after_it() -> None:
    """Its inviter could invite again, too."""
    async with flows(permissions=PERMISSIONS, features=[*cheap(mail=True)]) as app:
        by = await app.auth.users.create("boss@example.com", roles=["admin"])
        await app.auth.users.invite(EMAIL, by=Administrator(by.id, (), app.auth.permissions))
        await app.auth.users.ban(by.id)
        await app.auth.users.unban(by.id)

        await accept(app.auth, await token_of(app))


async def test_a_mistake_in_the_roles_uses_no_invitation_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with flows(permissions=PERMISSIONS, features=[*cheap(mail=True)]) as app:
        user = await app.auth.users.invite(EMAIL, roles=["editor"])
        token = await token_of(app)
        with monkeypatch.context() as changed:
            changed.setattr(app.auth.permissions, "_grants", {"admin": ["*"]})
            await refused(app.auth, token)

        await accept(app.auth, token)

        assert (await app.auth.users.get(user.id)).roles == ("editor",)


async def test_an_inviter_gives_no_more_than_there_is() -> None:
    async with flows(permissions=PERMISSIONS) as app:
        helper = await app.auth.users.create("helper@example.com", roles=["helper"])
        judge = Administrator(helper.id, ("users:write",), app.auth.permissions)

        for roles in (["admin"], ["editor"], ["helper", "admin"]):
            with pytest.raises(ForbiddenError):
                await app.auth.users.invite(EMAIL, roles=roles, by=judge)
        with pytest.raises(UnknownRoleError):
            await app.auth.users.invite(EMAIL, roles=["king"], by=judge)

        assert await app.auth.users.count() == 1
        await app.no_more_mail()


async def test_an_inviter_who_is_not_judged_must_still_be_there(app: Flows) -> None:
    boss_id = await register(app.auth, "boss@example.com")
    by = await app.auth.authenticate((await login(app.auth, "boss@example.com")).access_token)
    await app.auth.users.invite(EMAIL, by=by)
    token = await token_of(app)

    await app.auth.users.ban(boss_id)

    await refused(app.auth, token)


async def test_events_name_the_inviter(app: Flows) -> None:
    boss_id = await register(app.auth, "boss@example.com")
    by = await app.auth.authenticate((await login(app.auth, "boss@example.com")).access_token)
    seen: list[Event] = []
    app.auth.on("*")(seen.append)

    user = await app.auth.users.invite(EMAIL, roles=["editor"], by=by)
    await accept(app.auth, await token_of(app))

    found = {event.name: event.actor for event in seen if event.user_id == user.id and event.name != events.MAIL}
    assert found[events.USER_CREATE] == found[events.ROLE_CHANGE] == boss_id
    assert found[events.INVITATION] is None
