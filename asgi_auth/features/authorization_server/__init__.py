"""The authorization server: users let other programs, such as MCP clients, use parts of the host (OAuth 2.1)."""

from asgi_auth.features.authorization_server.feature import AuthorizationServer
from asgi_auth.features.authorization_server.resource import OAuthClient, Resource

__all__ = ["AuthorizationServer", "OAuthClient", "Resource"]
