"""The permissions of roles: their expansion, who has them, and what does not count."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_auth import Argon2, Auth, Passwords, Sessions
from asgi_auth.errors import ForbiddenError, UnknownRoleError, ValidationError
from asgi_auth.feature import Feature, Identity
from asgi_auth.sessions.demand import Demand
from asgi_auth.sessions.identity import ANONYMOUS
from asgi_auth.sessions.permissions import PermissionMap
from tests.sessions.test_revocation import eventually
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import Clock, login, make_auth, register

ROLES = {"editor": ["posts:read", "posts:write"], "moderator": ["posts:*"], "admin": ["*"], "guest": []}


class Users(Feature):
    """Declares permissions, as an administration does."""

    permissions = ("users:read", "users:write")

    def __init__(self, **default_roles: tuple[str, ...]) -> None:
        self.default_roles = default_roles


def with_permissions(storage: str = "sqlite://", **options: Any) -> Auth:
    options = {"permissions": ROLES, "features": [Passwords(argon2=Argon2.cheap()), Sessions(), Users()], **options}
    return make_auth(storage, **options)


def is_covered(name: list[str], grant: list[str]) -> bool:
    """Whether the parts of a grant are those of a name, or begin it and end with `*`."""
    return name == grant or (grant[-1] == "*" and len(name) >= len(grant) and name[: len(grant) - 1] == grant[:-1])


names = st.sampled_from(["posts:read", "posts:write", "posts:drafts:read", "users:read", "users:write", "posts", "x"])
grants = st.sampled_from(["*", "posts:*", "users:*", "posts:drafts:*", "none:*"]) | names
role_names = st.sampled_from(["r1", "r2", "r3", "unknown"])


@given(
    declared=st.dictionaries(st.sampled_from(["r1", "r2", "r3"]), st.lists(grants, max_size=4)),
    of_feature=st.lists(names, max_size=3),
    roles=st.lists(role_names, max_size=4),
)
def test_the_permissions_are_the_declared_names_that_a_grant_of_a_role_covers(
    declared: dict[str, list[str]], of_feature: list[str], roles: list[str]
) -> None:
    class Declares(Feature):
        """Declares permissions."""

        permissions = tuple(of_feature)

    found = PermissionMap(declared, [Declares()])

    named = {name for given in declared.values() for name in given if "*" not in name} | set(of_feature)
    held = [grant for role in roles for grant in declared.get(role, [])]
    expected = {name for name in named for grant in held if is_covered(name.split(":"), grant.split(":"))}
    assert found.of(tuple(roles)) == expected
    assert found.declared == named
    # More roles never give less, and their order does not matter.
    assert found.of(tuple(roles)) <= found.of((*roles, "r1"))
    assert found.of(tuple(roles)) == found.of(tuple(reversed(roles)))


def test_the_permissions_of_a_list_of_roles_are_worked_out_once() -> None:
    found = PermissionMap(ROLES, [Users()])

    assert found.of(("admin", "guest")) is found.of(("admin", "guest"))
    assert found.of(("admin",)) == {"posts:read", "posts:write", "users:read", "users:write"}
    assert found.of(("moderator",)) == {"posts:read", "posts:write"}
    assert found.of(("guest", "stranger")) == frozenset()


@pytest.mark.parametrize("grants", [{"posts": ["posts"]}, {"editor": ["admin"], "admin": ["*"]}, {"users:read": ["x"]}])
def test_a_permission_with_the_name_of_a_role_is_refused(grants: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match="is both a role and a permission"):
        PermissionMap(grants, [Users()])


def test_a_feature_declares_names_of_permissions_only() -> None:
    class Declares(Feature):
        """Declares too much."""

        permissions = ("posts:*",)

    with pytest.raises(ValueError, match="is not the name of a permission"):
        make_auth(features=[Passwords(), Declares()])


async def test_an_identity_has_the_permissions_of_its_current_roles() -> None:
    async with with_permissions() as auth:
        user_id = await register(auth)
        before = await auth.authenticate((await login(auth)).access_token)
        user = await auth.users.set_roles(user_id, ["editor"])
        identity = await auth.authenticate((await login(auth)).access_token)

    assert (before.permissions, before.scopes) == (frozenset(), ["authenticated"])
    assert identity.permissions == {"posts:read", "posts:write"}
    assert identity.scopes == ["authenticated", "editor", "posts:read", "posts:write"]
    assert identity.require(permissions=["posts:read", "posts:write"], roles="editor") is identity
    assert identity.require(permissions=("posts:write", "users:read"), any_of=True) is identity
    assert identity.require(roles=("admin", "editor"), any_of=True) is identity
    for refused in (
        {"permissions": ("posts:write", "users:read")},
        {"permissions": "users:read"},
        {"permissions": ("users:read", "users:write"), "any_of": True},
        {"roles": ("admin", "editor")},
        {"roles": "editor", "permissions": "users:read", "any_of": True},
    ):
        with pytest.raises(ForbiddenError):
            identity.require(**refused)
    assert auth.can(user, "posts:write")
    assert auth.can(identity, "posts:write")
    assert not auth.can(user, "users:read")
    assert (ANONYMOUS.permissions, ANONYMOUS.scopes) == (frozenset(), [])


async def test_an_account_that_is_not_active_can_do_nothing() -> None:
    async with with_permissions() as auth:
        user_id = await register(auth)
        await auth.users.set_roles(user_id, ["admin"])
        user = await auth.users.set_status(user_id, "disabled")

    assert auth.permissions.of(user.roles)
    assert not auth.can(user, "posts:write")


@pytest.mark.parametrize("name", ["*", "posts:*", "Posts:write", ""])
async def test_a_guard_names_permissions(name: str) -> None:
    async with with_permissions() as auth:
        user_id = await register(auth)
        user = await auth.users.set_roles(user_id, ["admin"])
        identity = await auth.authenticate((await login(auth)).access_token)

    with pytest.raises(ValueError, match="is not the name of a permission"):
        identity.require(permissions=name)
    with pytest.raises(ValueError, match="is not the name of a permission"):
        auth.can(user, name)
    with pytest.raises(TypeError, match=r"no demand role; did you mean roles[?]$"):
        identity.require(role="admin")  # type: ignore[call-arg]  # misspelled


@pytest.mark.parametrize(
    ("demand", "wrong"),
    [
        ({"fresh": 600}, "fresh must be a timedelta"),
        ({"fresh": True}, "fresh must be a timedelta"),
        ({"second_factor": "totp"}, "second_factor must be a bool"),
        ({"verified": None}, "verified must be a bool"),
        ({"any_of": ["admin"]}, "any_of must be a bool"),
        ({"roles": ["admin", None]}, "None is none"),
        ({"permissions": [7]}, "7 is none"),
    ],
)
def test_a_demand_of_another_type_is_an_error_where_the_guard_is_made(demand: Any, wrong: str) -> None:
    with pytest.raises(TypeError, match=wrong):
        Demand(**demand)


async def test_no_claim_of_a_token_gives_a_permission() -> None:
    def claims(_: Any) -> dict[str, Any]:
        return {"permissions": ["posts:write", "*"], "scope": "posts:write"}

    async with with_permissions(claims=claims) as auth:
        await register(auth)
        identity = await auth.authenticate((await login(auth)).access_token)

    assert identity.claims["permissions"] == ["posts:write", "*"]
    assert identity.permissions == frozenset()
    with pytest.raises(ForbiddenError):
        identity.require(permissions="posts:write")


async def test_a_role_with_the_name_of_a_permission_gives_no_permission() -> None:
    async with with_permissions() as auth:
        user_id = await register(auth)
        # As before the setting was made, or by SQL.
        await auth.storage.update_user(user_id, {"roles": ("posts:write", "stranger")}, int(auth.now()))
        identity = await auth.authenticate((await login(auth)).access_token)

    assert identity.permissions == frozenset()
    assert identity.scopes == ["authenticated", "stranger"]


async def test_users_get_declared_roles_only() -> None:
    async with with_permissions() as auth, make_auth() as free:
        user_id, other_id = await register(auth), await register(free)
        with pytest.raises(UnknownRoleError) as refused:
            await auth.users.set_roles(user_id, ["editor", "editro"])
        with pytest.raises(ValueError, match=r"\w"):
            await auth.users.set_roles(user_id, ["users:read"])
        user = await auth.users.get(user_id)
        other = await free.users.set_roles(other_id, ["editro"])

    assert isinstance(refused.value, ValidationError)
    assert (refused.value.status, refused.value.code) == (422, "unknown_role")
    assert refused.value.errors == {"roles": ["There is no role editro."]}
    assert str(refused.value).startswith('the setting permissions has no role "editro". Its roles are: ')
    assert refused.value.detail == "There is no such role."
    assert (user.roles, other.roles) == ((), ("editro",))


async def test_without_the_setting_a_feature_says_what_its_roles_permit() -> None:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Users(boss=("users:*",))]
    async with make_auth(features=features) as auth:
        user_id = await register(auth)
        user = await auth.users.set_roles(user_id, ["boss", "anything"])
    replaced = with_permissions(features=[Passwords(argon2=Argon2.cheap()), Sessions(), Users(boss=("users:*",))])

    assert auth.permissions.of(user.roles) == {"users:read", "users:write"}
    assert replaced.permissions.of(user.roles) == frozenset()


async def test_a_credential_of_a_feature_has_the_permissions_that_the_feature_gives() -> None:
    async with with_permissions() as auth:
        user = await auth.users.set_roles(await register(auth), ["admin"])
    none = Identity.of_credential("api_key", user)
    some = Identity.of_credential("api_key", user, permissions=["posts:read", "users:read"])

    assert not none.permissions
    assert some.permissions == {"posts:read", "users:read"}
    assert some.limited_to(["posts:read", "posts:write"]).permissions == {"posts:read"}
    assert some.limited_to(["posts:read"]).with_roles(("admin",)).permissions == {"posts:read"}
    assert some.limited_to([]).kind == "api_key"
    assert some.scopes == ["authenticated", "admin", "posts:read", "users:read"]


async def test_a_limited_identity_stays_limited() -> None:
    async with with_permissions() as auth:
        await auth.users.set_roles(await register(auth), ["admin"])
        identity = await auth.authenticate((await login(auth)).access_token)
        limited = await auth.verifier.confirm(identity.limited_to(["posts:read", "unknown"]))

    assert limited.permissions == {"posts:read"}
    assert limited.scopes == ["authenticated", "admin", "posts:read"]


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_demotion_reaches_another_process(driver: str, fresh: Callable[[str], str]) -> None:
    url = fresh(driver)
    async with with_permissions(url) as here, with_permissions(url) as there:
        user_id = await register(here)
        await here.users.set_roles(user_id, ["editor"])
        pair = await login(here)

        async def permits() -> bool:
            return "posts:write" in (await there.authenticate(pair.access_token)).permissions

        assert await permits()
        await here.users.set_roles(user_id, ["guest"])

        async def is_over() -> bool:
            return not await permits()

        assert await eventually(is_over)


async def test_a_map_of_the_host_that_changes_later_changes_nothing() -> None:
    given = {"editor": ["posts:read"]}
    auth = with_permissions(clock=Clock(), permissions=given)
    given["editor"].append("posts:write")

    assert auth.permissions.of(("editor",)) == {"posts:read"}
    assert auth.settings.permissions == {"editor": ("posts:read",)}
