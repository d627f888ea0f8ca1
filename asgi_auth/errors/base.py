"""The base of all errors that are answered to a client."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from asgi_auth.model.answers import SetCookie


class AuthError(Exception):
    """Base of all errors that are answered to the client; `detail` is written for people."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "auth_error"
    default_detail: ClassVar[str] = "The request was refused."
    #: The error name of RFC 6749, section 5.2, for the OAuth 2 token endpoint.
    oauth2: ClassVar[str] = "invalid_request"
    #: Whether a program is refused by its name and secret: then a status of 401, and the challenge, stay in OAuth 2.
    of_program: ClassVar[bool] = False
    #: The event that this error always is. None: the endpoint's own event has failed.
    event: ClassVar[str | None] = None
    #: The possible names of the one field that the error is about: pages show the error beside it.
    fields: ClassVar[tuple[str, ...]] = ()
    #: The page that a form leads to after this error, if it is served; its members fill in hidden fields there.
    page: ClassVar[str] = ""
    #: Values for the script of the form that was refused, as `data-` attributes of its element; in no answer.
    for_script: Mapping[str, str] = {}
    #: The members that only some answers have, for the OpenAPI document.
    sometimes: ClassVar[frozenset[str]] = frozenset()
    #: The meaning of each header that every answer to this error has, for the OpenAPI document.
    header_meanings: ClassVar[Mapping[str, str]] = {}
    #: The user and the session that the error is about, for its event only.
    user_id: str | None = None
    session_id: str | None = None
    #: The cause that the event of the error has, and the answer has not.
    cause: str = ""
    #: Where a login in a browser goes on after what the error asks for: the target that it was begun with.
    next: str = ""
    #: Whether the event of this error has been emitted.
    reported: bool = False

    def __init__(self, detail: str | None = None) -> None:
        """Take the text for people; by default `default_detail`."""
        self.detail: str = detail or self.default_detail
        super().__init__(self.detail)

    @property
    def leads_to(self) -> Sequence[str]:
        """The pages of which a form leads to the first that is served: `page`, unless the error depends on its user."""
        return (self.page,) if self.page else ()

    @property
    def text_code(self) -> str:
        """The code of its text on pages, `error.<text_code>`: that of the error, unless it depends on its user."""
        return self.code

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers that the answer must carry because of this error."""
        return []

    @property
    def http_cookies(self) -> Sequence[SetCookie]:
        """The cookies that the answer sets because of this error."""
        return ()

    def members(self) -> dict[str, Any]:
        """Return the extension members of the response (RFC 9457, section 3.2)."""
        return {}

    def oauth2_members(self) -> dict[str, Any]:
        """Return the members that the response of the OAuth 2 token endpoint has beside those of RFC 6749."""
        return {}

    def about(self, user_id: str | None, session_id: str | None = None) -> Self:
        """Set the user and the session for the event; the response does not contain them."""
        self.user_id, self.session_id = user_id, session_id
        return self

    @classmethod
    def example(cls) -> "AuthError":
        """Return an instance as the OpenAPI document shows it."""
        return cls()
