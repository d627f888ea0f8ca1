"""Errors of requests that are authenticated and not allowed."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from asgi_auth.errors.base import AuthError
from asgi_auth.model import event_types as events

#: The pages that set up a second factor; the first one that is served is shown.
SETUP_PAGES = ("totp", "add_passkey")


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
    default_detail = "Log in with a second factor to do this, or set one up first."
    #: Whether the user has no second factor, and has to set one up.
    is_missing: bool = False

    def for_users_without(self) -> None:
        """Say that the user has to set up a second factor; a `detail` of the error's own stays."""
        self.is_missing = True
        if self.detail == self.default_detail:
            self.detail = "Set up a second factor, then log in with it."

    @property
    def leads_to(self) -> Sequence[str]:
        """The pages where a second factor is set up, for users without one."""
        return SETUP_PAGES if self.is_missing else (self.page,)

    @property
    def text_code(self) -> str:
        """The code of the text for users without a second factor."""
        return "second_factor_missing" if self.is_missing else self.code


class InsufficientScopeError(ForbiddenError):
    """The client may not do this for its user; `scopes` are those that it needs (RFC 6750, section 3.1)."""

    code = "insufficient_scope"
    default_detail = "The user has not allowed this program to do that."
    oauth2 = "invalid_scope"
    header_meanings: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "The scopes that are needed (RFC 6750, 3.1)."}
    #: Further parameters of the challenge, at a protected resource.
    at_resource: str = ""

    def __init__(self, detail: str | None = None, *, scopes: Sequence[str] = ()) -> None:
        """Take the scopes that are needed."""
        super().__init__(detail)
        self.scopes: Sequence[str] = tuple(scopes)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The challenge."""
        more = self.at_resource or f'scope="{" ".join(self.scopes)}"'
        return [("www-authenticate", f'Bearer error="insufficient_scope", {more}')]

    def members(self) -> dict[str, Any]:
        """Return the scopes."""
        return {"scopes": self.scopes}


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
