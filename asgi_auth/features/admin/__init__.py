"""Administration over HTTP: users are found, created, changed, banned, looked after and impersonated."""

from asgi_auth.features.admin.feature import Admin

__all__ = ["Admin"]
