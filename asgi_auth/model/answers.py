"""The answers of endpoints: what they may hold beyond plain fields."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar, Literal, Self

import msgspec

from asgi_auth.model.concealed import Concealed
from asgi_auth.model.records import Record


class SetCookie(Concealed, Record, frozen=True):
    """A cookie of a feature for the browser, for `max_age` seconds; 0 deletes it.

    The library puts its own prefix before `name`. The value is a credential, and not in the `repr`.
    """

    concealed: ClassVar[frozenset[str]] = frozenset({"value"})
    name: str
    value: str
    max_age: int
    same_site: Literal["lax", "strict"] = "lax"


class Answer(Record, frozen=True):
    """Base of answers that need more than their fields: a status, headers, cookies, tokens, or a request for a mail."""

    #: The HTTP status; None: the status of the endpoint.
    http_status: ClassVar[int | None] = None
    #: The fields that may be None in process and are always in the body, for the OpenAPI document.
    always_sent: ClassVar[frozenset[str]] = frozenset()

    #: Whether there is a body, and the meaning of each further header, for the OpenAPI document.
    has_body: ClassVar[bool] = True
    header_meanings: ClassVar[Mapping[str, str]] = {}

    @property
    def http_headers(self) -> Sequence[tuple[str, str]]:
        """The further headers of the response."""
        return ()

    @property
    def form_action(self) -> str:
        """The source to which a form of the page that shows the answer may lead, beside this site; empty without one.

        Browsers hold the redirect behind a form to the Content-Security-Policy of its page.
        """
        return ""

    @property
    def http_cookies(self) -> Sequence[SetCookie]:
        """The cookies of the response beside those of the session."""
        return ()

    def body(self) -> "Answer | None":
        """Return what is sent over HTTP; the answer itself by default, None for an empty body."""
        return self

    def token_pair(self) -> "TokenPair | None":
        """Return the tokens in the answer, which may be set as cookies."""
        return None

    def without_tokens(self) -> Self:
        """Return what the body holds when the tokens are set as cookies (ASVS 3.3.4)."""
        return self

    def mail_request(self) -> "Requested | None":
        """Return what belongs to the code of a mail that was asked for."""
        return None


class Download(Answer, frozen=True, kw_only=True):
    """A file, which is sent part by part: one part is all that is in memory."""

    #: The media types that the file may have, for the OpenAPI document.
    media_types: ClassVar[tuple[str, ...]] = ()
    header_meanings: ClassVar[Mapping[str, str]] = {"Content-Disposition": "The name of the file."}
    media_type: str
    #: The name of the file: letters, digits, dots and hyphens.
    filename: str
    parts: AsyncIterator[bytes]

    @property
    def http_headers(self) -> Sequence[tuple[str, str]]:
        """The name of the file (RFC 6266)."""
        return (("Content-Disposition", f'attachment; filename="{self.filename}"'),)


class TextFile(Answer, frozen=True, kw_only=True):
    """A text that is sent as it is, such as a script, in UTF-8."""

    #: The media types that the text may have, for the OpenAPI document.
    media_types: ClassVar[tuple[str, ...]] = ()
    media_type: str
    text: str


class TokenPair(Concealed, Answer, frozen=True, kw_only=True, omit_defaults=True):
    """The tokens of a login (RFC 6749, 5.1); lifetimes are seconds. In cookie mode the body has no tokens.

    The tokens are not in the `repr`.
    """

    concealed: ClassVar[frozenset[str]] = frozenset({"access_token", "refresh_token"})

    access_token: str = ""
    """The access token, for the header `Authorization: Bearer …`."""
    refresh_token: str = ""
    """The refresh token, for the next pair. Each one is used once."""
    token_type: Literal["Bearer", "Cookie"]
    """`Bearer`; or `Cookie` if the tokens were set as cookies."""
    expires_in: int
    """Seconds until the access token expires."""
    refresh_expires_in: int
    """Seconds until the session ends if it is not used."""

    def token_pair(self) -> "TokenPair":
        """Return this pair."""
        return self

    def without_tokens(self) -> Self:
        """Return the pair without both tokens."""
        return msgspec.structs.replace(self, access_token="", refresh_token="", token_type="Cookie")


class Requested(Answer, frozen=True, kw_only=True):
    """The answer to a request for a mail: the same whether a mail is sent or not."""

    http_status: ClassVar[int | None] = 202
    #: Belongs to the code of the mail; only the caller has it.
    request: str
    #: Seconds until link and code expire.
    expires_in: int

    def mail_request(self) -> "Requested":
        """Return this answer."""
        return self


class RequestedAtLogin(Requested, frozen=True, kw_only=True):
    """The same at the end of a login at another site, which leads a browser on.

    `name` is the address of the mail, and `next` the target as the login was begun with it. Neither is sent.
    """

    name: str
    next: str = ""

    def body(self) -> Requested:
        """Return what is sent."""
        return Requested(request=self.request, expires_in=self.expires_in)


class Redirect(Answer, frozen=True):
    """A redirect (303): the client goes on with GET.

    `location` is a path of this site, or a URL that the host allows for `next=`; others are refused (400), as they may
    come from the request. With `elsewhere` it may be any URL: only for those of a configuration. `cookies` are set.
    """

    http_status: ClassVar[int | None] = 303
    has_body: ClassVar[bool] = False
    header_meanings: ClassVar[Mapping[str, str]] = {"Location": "Where to go on."}
    location: str
    cookies: tuple[SetCookie, ...] = ()
    elsewhere: bool = False

    @property
    def http_cookies(self) -> Sequence[SetCookie]:
        """The cookies."""
        return self.cookies

    def body(self) -> None:
        """Return no body."""
        return


class LoginRedirect(Redirect, frozen=True, kw_only=True):
    """The end of a login in a browser: its tokens, which are set as cookies, and where it goes on.

    `next` is the target as the login was begun with it: a path, an allowed URL, or the name of a page.
    """

    tokens: TokenPair | None = None
    next: str = ""

    def token_pair(self) -> TokenPair | None:
        """Return the tokens."""
        return self.tokens
