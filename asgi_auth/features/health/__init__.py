"""Health: whether the service and its database work, for load balancers and container platforms."""

from asgi_auth.features.health.feature import Health

__all__ = ["Health"]
