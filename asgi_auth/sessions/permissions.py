"""What roles permit: a static map, so that a change of it needs no new tokens, and a role in a token is enough."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from asgi_auth.errors import UnknownRoleError
from asgi_auth.sources.kinds import fits
from asgi_auth.validation.permissions import AUTHENTICATED, check_grants, check_name, covers
from asgi_auth.validation.reasons import Reason

#: The longest list of roles, in characters.
MAX_ROLES = 2048
#: The number of different lists of roles whose permissions are cached.
CACHED = 4096


class Declaring(Protocol):
    """The part of a feature that declares permissions."""

    @property
    def permissions(self) -> Sequence[str]:
        """The permissions that it asks for."""

    @property
    def default_roles(self) -> Mapping[str, Sequence[str]]:
        """What roles give without the setting."""


class PermissionMap:
    """The permissions of each role: `auth.permissions`."""

    def __init__(self, grants: Mapping[str, Sequence[str]], features: Sequence[Declaring]) -> None:
        """Take the setting `permissions` and the features that declare some.

        Raises ValueError for an invalid name, and for a permission with the name of a role.
        """
        self._is_given = bool(grants)
        of_features: dict[str, Sequence[str]] = {}
        for role, given in (item for feature in features for item in feature.default_roles.items()):
            # Several features may give the same role something.
            of_features[role] = (*of_features.get(role, ()), *given)
        self._grants = check_grants(grants or of_features)
        named = {name for given in self._grants.values() for name in given if "*" not in name}
        #: All permissions that a role or a feature names.
        self.declared: frozenset[str] = frozenset(
            named | {check_name(name) for feature in features for name in feature.permissions}
        )
        if clashing := self.declared & self._grants.keys():
            raise ValueError(f"permissions: {', '.join(sorted(clashing))} is both a role and a permission; rename one")
        self._cached = lru_cache(CACHED)(self._expand)

    @property
    def given(self) -> frozenset[str]:
        """The permissions that any role gives."""
        return self.of(tuple(self._grants))

    def of(self, roles: tuple[str, ...]) -> frozenset[str]:
        """Return the permissions that roles give together; cached. A role that is not declared gives none."""
        return self._cached(roles)[0]

    def roles_with(self, permission: str) -> tuple[str, ...]:
        """Return the roles that give a permission, each by itself."""
        return tuple(role for role in self._grants if permission in self.of((role,)))

    def scopes_of(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        """Return `authenticated`, the roles and their permissions; cached."""
        return self._cached(roles)[1]

    def scopes(self, roles: tuple[str, ...], permissions: frozenset[str]) -> tuple[str, ...]:
        """Return `authenticated`, roles and permissions. A role with the name of a permission is left out."""
        return (AUTHENTICATED, *(role for role in roles if role not in self.declared), *sorted(permissions))

    def limited(self, scopes: Collection[str], roles: tuple[str, ...]) -> tuple[str, ...]:
        """Return the scopes of a client without the permissions that the roles of its user do not give."""
        lacking = self.declared.difference(self.of(roles))
        return tuple(scope for scope in scopes if scope not in lacking)

    def checked_roles(self, roles: Sequence[str]) -> tuple[str, ...]:
        """Return roles that a user may be given, each once: the one check for administrators, invitations and imports.

        Raises UnknownRoleError for a role that the setting `permissions` does not name, if there is one; TypeError for
        what is no list of names, such as one string; ValueError for a list that tokens cannot hold.
        """
        if not fits(roles, Sequence[str]):
            one = roles if isinstance(roles, str) else "admin"
            raise TypeError(f"roles are a list of names, such as [{one!r}]")
        given = tuple(dict.fromkeys(roles))
        if len(",".join(given)) > MAX_ROLES:
            raise ValueError(f"roles are part of every access token; these are over {MAX_ROLES} characters")
        self.check_known(given)
        return given

    def check_known(self, roles: Collection[str]) -> None:
        """Raise UnknownRoleError for roles that the setting `permissions` does not name; its text lists the roles."""
        unknown = [role for role in roles if role not in self._grants] if self._is_given else []
        if unknown:
            named = ", ".join(f'"{role}"' for role in unknown)
            text = f"the setting permissions has no role {named}. Its roles are: {', '.join(sorted(self._grants))}."
            raise UnknownRoleError({"roles": [Reason("unknown_role", role=role) for role in unknown]}, text)

    def _expand(self, roles: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
        grants = [grant for role in roles for grant in self._grants.get(role, ())]
        found = frozenset(name for name in self.declared if any(covers(grant, name) for grant in grants))
        return found, self.scopes(roles, found)
