"""The errors of the authorization server."""

from typing import ClassVar

from asgi_auth.errors import BadRequestError
from asgi_auth.features.authorization_server.events import CLIENT_REFUSED


class UnknownClientError(BadRequestError):
    """The program is not known, or asks to be answered at an address that is not its own. Nothing is sent there."""

    code = "unknown_client"
    oauth2: ClassVar[str] = "invalid_client"
    event: ClassVar[str | None] = CLIENT_REFUSED
    default_detail = "This program is not known here. Remove the connection in the program, and add it again."


class ConsentExpiredError(BadRequestError):
    """The answer to a request of a program is too old, was given before, or belongs to another session."""

    code = "consent_expired"
    default_detail = "This page was too old, or was answered before. Begin again in the program."


class InvalidGrantError(BadRequestError):
    """The code or refresh token is not valid, not of this client, or was used before; it never tells which."""

    code = "invalid_grant"
    oauth2: ClassVar[str] = "invalid_grant"
    event: ClassVar[str | None] = CLIENT_REFUSED
    default_detail = "The code or refresh token is not valid."


class InvalidTargetError(BadRequestError):
    """The resource is not that of the grant (RFC 8707, section 2)."""

    code = "invalid_target"
    oauth2: ClassVar[str] = "invalid_target"
    event: ClassVar[str | None] = CLIENT_REFUSED
    default_detail = "The resource is not that of the grant."


class InvalidRedirectUriError(BadRequestError):
    """A redirect URI is one that no client may have (RFC 7591, section 3.2.2)."""

    code = "invalid_redirect_uri"
    oauth2: ClassVar[str] = "invalid_redirect_uri"
    default_detail = "A redirect URI is https, http to this computer, or of a scheme of the program."


class InvalidClientMetadataError(BadRequestError):
    """The metadata of a client cannot be kept (RFC 7591, section 3.2.2)."""

    code = "invalid_client_metadata"
    oauth2: ClassVar[str] = "invalid_client_metadata"
    default_detail = "The name of the program is taken, or its metadata is too long."
