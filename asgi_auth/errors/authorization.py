"""Errors of requests that are authenticated and not allowed."""

from typing import ClassVar

from asgi_auth.errors.base import AuthError
from asgi_auth.model import event_types as events


class ForbiddenError(AuthError):
    """The user is logged in and may not do this (RFC 6750: insufficient_scope)."""

    status = 403
    code = "forbidden"
    default_detail = "You may not do this."
    oauth2 = "access_denied"


class CrossSiteRequestError(ForbiddenError):
    """A request that changes something came with cookies from a page of another origin."""

    event: ClassVar[str | None] = events.CROSS_SITE
    code = "cross_site_request"
    default_detail = "The request came from another site."
