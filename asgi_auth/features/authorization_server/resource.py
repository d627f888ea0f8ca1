"""What a host configures: its protected resources, and the clients that it knows beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from asgi_auth.features.authorization_server.redirects import check_redirect
from asgi_auth.sources.kinds import check_kinds
from asgi_auth.validation.permissions import check_name

#: Scopes of OpenID Connect, which clients ask for unasked. They are left out of every grant.
RESERVED_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})


@dataclass(frozen=True)
class Resource:
    """A part of the host that clients may use for a user: its name, and its scopes with what each lets a client do.

    `first` are the scopes that the first challenge names, by default all. `calls` are the scopes that tools of an MCP
    server need, by the name of the tool. With `bearer_only=False`, sessions of users are accepted as well.
    """

    name: str
    scopes: Mapping[str, str]
    first: Sequence[str] | None = None
    calls: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    bearer_only: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError for a scope with no valid name, and for one that is not declared."""
        check_kinds(self)
        if not self.scopes:
            raise ValueError(f"the resource {self.name!r} needs scopes")
        reserved = RESERVED_SCOPES.intersection(map(check_name, self.scopes))
        named = {*self.first_scopes, *(scope for scopes in self.call_scopes.values() for scope in scopes)}
        if reserved or not named <= self.scopes.keys() or not self.first_scopes:
            raise ValueError(f"the resource {self.name!r} has scopes that are reserved, or not declared")

    @property
    def first_scopes(self) -> tuple[str, ...]:
        """The scopes of the first challenge."""
        return tuple(self.scopes) if self.first is None else tuple(self.first)

    @property
    def call_scopes(self) -> dict[str, tuple[str, ...]]:
        """The scopes of each tool."""
        return {name: (need,) if isinstance(need, str) else tuple(need) for name, need in self.calls.items()}


@dataclass(frozen=True)
class OAuthClient:
    """A client that the host knows beforehand: its name, and the exact URLs that it is sent back to.

    With a `secret` (a list during a rotation) it is confidential, and shows the secret with every request for tokens.
    """

    name: str
    redirect_uris: Sequence[str]
    secret: str | Sequence[str] = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError without a name and for URLs that no client may have."""
        check_kinds(self)
        if not self.name or not self.redirect_uris:
            raise ValueError("a client needs a name and redirect_uris")
        for uri in self.redirect_uris:
            check_redirect(uri)
