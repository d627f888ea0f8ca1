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


class SecondFactorNeededError(ForbiddenError):
    """This session has not shown a second factor, and the action needs one."""

    code = "second_factor_needed"
    page: ClassVar[str] = "reauthenticate"
    default_detail = "Log in with a second factor to do this."


class ImpersonatedError(ForbiddenError):
    """Another user acts in this session, such as an administrator, and the action is for the user alone."""

    code = "impersonated"
    default_detail = "You act for another user: only that user can do this."


class SessionNeededError(ForbiddenError):
    """The credential has no session, such as an API key, and the action needs one."""

    code = "session_needed"
    default_detail = "Log in to do this: this credential is not accepted here."


class CrossSiteRequestError(ForbiddenError):
    """A request that changes something came with cookies from a page of another origin."""

    event: ClassVar[str | None] = events.CROSS_SITE
    code = "cross_site_request"
    default_detail = "The request came from another site."
