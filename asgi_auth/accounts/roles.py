"""The roles that a user is given: one check for administrators, invitations and imports."""

from collections.abc import Sequence

#: The most characters of all roles of a user together.
MAX_ROLES = 2048


def checked_roles(roles: Sequence[str]) -> tuple[str, ...]:
    """Return the roles that a user is to have, each once.

    Raises TypeError for one string in place of a list of names, and ValueError for more than a token can hold.
    """
    if isinstance(roles, str):
        raise TypeError(f"roles are a list of names, such as [{roles!r}]")
    given = tuple(dict.fromkeys(roles))
    if len(",".join(given)) > MAX_ROLES:
        raise ValueError(f"roles are part of every access token; these are over {MAX_ROLES} characters")
    return given
