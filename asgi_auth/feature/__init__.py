"""What a feature is written with: the base class, and the declaration of endpoints."""

from asgi_auth.feature.base import REFUSED_TOKENS, Feature
from asgi_auth.feature.endpoint import Call, Endpoint, Route, Served, delete, get, patch, post, running
from asgi_auth.model.records import LoginAttempt, UserInfo
from asgi_auth.sessions.identity import Identity
from asgi_auth.validation.fields import Line

__all__ = [
    "REFUSED_TOKENS",
    "Call",
    "Endpoint",
    "Feature",
    "Identity",
    "Line",
    "LoginAttempt",
    "Route",
    "Served",
    "UserInfo",
    "delete",
    "get",
    "patch",
    "post",
    "running",
]
