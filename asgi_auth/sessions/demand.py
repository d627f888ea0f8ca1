"""What a guard demands of an identity, in one form for every host."""

from collections.abc import Collection
from datetime import timedelta
from typing import TypedDict, TypeVar, Unpack

from asgi_auth.sources.blame import unknown_options
from asgi_auth.validation.permissions import check_name

T = TypeVar("T")
#: What a demand looks like, for the text of an error.
SAMPLES = {timedelta: "timedelta(minutes=10)", bool: "True", str: "'editor'"}


class Demands(TypedDict, total=False):
    """The demands of `require`."""

    roles: str | Collection[str]
    """Roles that the user must have: all of them."""
    permissions: str | Collection[str]
    """Permissions that the roles of the user must give: all of them."""
    scopes: str | Collection[str]
    """Scopes that a client of the user must have: all of them."""
    any_of: bool
    """Whether one of the `roles`, and one of the `permissions`, is enough."""
    fresh: timedelta | None
    """The greatest age of the login."""
    second_factor: bool
    """Whether the session must have shown a second factor."""
    verified: bool
    """Whether the address of the user must be verified, as the database has it."""


#: What a guard may demand. In one piece, as hosts make a demand for each request.
KNOWN = frozenset(Demands.__annotations__)
NO_NAMES: frozenset[str] = frozenset()


class Demand:
    """The demands of one guard, checked once."""

    __slots__ = ("any_of", "fresh", "permissions", "roles", "scopes", "second_factor", "verified")

    def __init__(self, **demands: Unpack[Demands]) -> None:
        """Take the demands.

        Raises TypeError for an unknown one and for a wrong type, and ValueError for a text that is no permission.
        """
        if not KNOWN.issuperset(demands):
            raise TypeError(f"require has no demand {unknown_options(demands, KNOWN)}")
        self.roles: frozenset[str] = _names(demands.get("roles", ()))
        self.permissions: frozenset[str] = frozenset(map(check_name, _names(demands.get("permissions", ()))))
        self.scopes: tuple[str, ...] = tuple(sorted(map(check_name, _names(demands.get("scopes", ())))))
        self.any_of: bool = _typed("any_of", demands.get("any_of", False), bool)
        self.fresh: timedelta | None = demands.get("fresh")
        if self.fresh is not None:
            _typed("fresh", self.fresh, timedelta)
        self.second_factor: bool = _typed("second_factor", demands.get("second_factor", False), bool)
        self.verified: bool = _typed("verified", demands.get("verified", False), bool)

    def __eq__(self, other: object) -> bool:
        """Tell whether two demands are the same."""
        return isinstance(other, Demand) and self._key() == other._key()

    def __hash__(self) -> int:
        """Hash the demands."""
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def allows(self, roles: Collection[str], permissions: Collection[str]) -> bool:
        """Tell whether roles and permissions are those that are demanded."""
        return self._has(self.roles, roles) and self._has(self.permissions, permissions)

    def _has(self, demanded: frozenset[str], found: Collection[str]) -> bool:
        if self.any_of and demanded:
            return not demanded.isdisjoint(found)
        return demanded.issubset(found)


def _names(given: str | Collection[str]) -> frozenset[str]:
    if given == ():
        return NO_NAMES
    names = frozenset((given,) if isinstance(given, str) else given)
    for name in names:
        _typed("a role, permission or scope", name, str)
    return names


def _typed(name: str, given: T, wanted: type) -> T:
    if not isinstance(given, wanted):
        raise TypeError(f"{name} must be a {wanted.__name__}, such as {SAMPLES[wanted]}: {given!r} is none")
    return given
