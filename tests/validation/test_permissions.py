"""Names of permissions, and the grants of roles."""

from typing import Any

import pytest

from asgi_auth.validation.permissions import check_grants, check_name, covers

NAMES = ["posts:write", "posts", "a", "billing:invoices:read", "x-y_z.1:read"]
NO_NAMES = ["", "*", "posts:*", "Posts:write", "a b", "posts:", ":write", "posts::write", "pösts", "a\n", 7, None]


@pytest.mark.parametrize("name", NAMES)
def test_a_permission_is_parts_between_colons(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", [*NO_NAMES, "authenticated"], ids=repr)
def test_another_text_names_no_permission(name: Any) -> None:
    with pytest.raises(ValueError, match="is not the name of a permission"):
        check_name(name)


def test_a_role_is_given_names_and_groups_of_names() -> None:
    given = {"editor": [*NAMES, "posts:*", "billing:invoices:*"], "admin": ["*"], "guest": []}

    assert check_grants(given) == {role: tuple(names) for role, names in given.items()}


@pytest.mark.parametrize("grant", ["", "**", "po*", "posts:wr*", "*:write", "posts:*:read", ":*", "authenticated", 7])
def test_another_grant_is_refused(grant: Any) -> None:
    with pytest.raises(ValueError, match=r"permissions: .* of editor"):
        check_grants({"editor": ["posts:read", grant]})


@pytest.mark.parametrize("given", [{"editor": "posts:read"}, {"": ["posts:read"]}, {7: ["posts:read"]}])
def test_a_role_has_a_name_and_a_list(given: Any) -> None:
    with pytest.raises(ValueError, match=r"permissions: "):
        check_grants(given)


def test_a_group_has_the_names_below_it_and_no_others() -> None:
    assert covers("posts:*", "posts:write")
    assert covers("posts:*", "posts:drafts:write")
    assert not covers("posts:*", "posts")
    assert not covers("posts:*", "postsx:write")
    assert not covers("posts:read", "posts:read:all")
    assert covers("*", "posts")
