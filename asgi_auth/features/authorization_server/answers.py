"""The answers of the authorization server."""

from typing import Annotated, ClassVar, Literal

from asgi_auth.feature import Answer, Record
from asgi_auth.model.records import NULL_IS_SENT


class ScopeText(Record, frozen=True, kw_only=True):
    """A scope, what it lets a client do, and whether the user has allowed it before."""

    name: str
    text: str
    allowed: bool


class Consent(Answer, frozen=True, kw_only=True):
    """What a client asks of the user. The form of the page sends `sealed` and `ticket` back.

    `host` is where the browser goes on: empty for a program on the computer of the user. `standing`: whether the
    service knows the client beforehand, or the host is that of its document; others have named themselves.
    """

    name: str
    host: str
    standing: Literal["known", "confirmed", "unverified"]
    resource: str
    scopes: list[ScopeText]
    sealed: str
    ticket: str
    #: The source to which the form of the page may lead.
    source: str

    @property
    def form_action(self) -> str:
        """The source to which the form of the page may lead."""
        return self.source


class RegisteredClient(Answer, frozen=True, kw_only=True):
    """A client that has registered itself (RFC 7591, 3.2.1). Nothing is stored: the id is the metadata."""

    http_status: ClassVar[int | None] = 201
    client_id: str
    client_name: str
    redirect_uris: list[str]
    token_endpoint_auth_method: str = "none"
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    response_types: tuple[str, ...] = ("code",)


class ConnectedApp(Record, frozen=True, kw_only=True):
    """A client that the user has let in; times are seconds since 1970. `scopes` are by the path of the resource."""

    id: str
    name: str
    host: str
    verified: bool
    scopes: dict[str, list[str]]
    created_at: int
    used_at: Annotated[int | None, NULL_IS_SENT] = None


class ConnectedApps(Record, frozen=True, kw_only=True):
    """The clients that the user has let in, oldest first."""

    apps: list[ConnectedApp]


class ResourceMetadata(Record, frozen=True, kw_only=True):
    """The metadata of a protected resource (RFC 9728, section 2)."""

    resource: str
    resource_name: str
    authorization_servers: list[str]
    scopes_supported: list[str]
    bearer_methods_supported: tuple[str, ...] = ("header",)
