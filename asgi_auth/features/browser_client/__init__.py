"""The client for browsers: an ES module that keeps a session over all tabs, and its types for TypeScript."""

from asgi_auth.features.browser_client.feature import BrowserClient

__all__ = ["BrowserClient"]
