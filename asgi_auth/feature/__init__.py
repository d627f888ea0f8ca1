"""What a feature is written with: the base class, and the declaration of endpoints."""

from asgi_auth.feature.base import REFUSED_TOKENS, Feature
from asgi_auth.feature.endpoint import Call, Endpoint, Route, Served, delete, get, patch, post, running
from asgi_auth.model.records import LoginAttempt

__all__ = [
    "REFUSED_TOKENS",
    "Call",
    "Endpoint",
    "Feature",
    "LoginAttempt",
    "Route",
    "Served",
    "delete",
    "get",
    "patch",
    "post",
    "running",
]
