"""Names of permissions, and what roles may be given: `posts:write`, `posts:*`, `*`."""

import re
from collections.abc import Mapping, Sequence

#: The first scope of every user that is logged in.
AUTHENTICATED = "authenticated"
NAME = re.compile(r"[a-z0-9_.-]+(:[a-z0-9_.-]+)*")
GRANT = re.compile(r"\*|[a-z0-9_.-]+(:[a-z0-9_.-]+)*(:\*)?")


def check_name(name: str) -> str:
    """Return the name of one permission. Raises ValueError for another text, and for one with `*`."""
    if not isinstance(name, str) or NAME.fullmatch(name) is None or name == AUTHENTICATED:
        raise ValueError(f"{name!r} is not the name of a permission, such as posts:write")
    return name


def check_grants(grants: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return what each role is given, as tuples. Raises ValueError for a text that no permission can have."""
    for role, given in grants.items():
        if not isinstance(role, str) or not role:
            raise ValueError(f"permissions: {role!r} is not the name of a role")
        if isinstance(given, str):
            raise ValueError(f"permissions: {role} needs a list of names, such as [{given!r}]")  # noqa: TRY004 (a mistake in the configuration)
        for name in given:
            if not isinstance(name, str) or GRANT.fullmatch(name) is None or name == AUTHENTICATED:
                raise ValueError(f"permissions: {name!r} of {role} is none of posts:write, posts:*, *")
    return {role: tuple(given) for role, given in grants.items()}


def covers(grant: str, name: str) -> bool:
    """Tell whether a grant gives a permission: the same name, or a group of names."""
    return grant in {"*", name} or (grant.endswith(":*") and name.startswith(grant[:-1]))
