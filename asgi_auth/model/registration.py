"""The answer to a registration."""

from typing import ClassVar

import msgspec

from asgi_auth.model.answers import Answer, Requested, TokenPair
from asgi_auth.model.user_info import UserInfo


class Registration(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a registration: the account, tokens after a login, and the request of a verification mail.

    While a mail has to complete the registration (`enumeration="hide"`), there is no `user` yet: `pending` is true,
    and the body is that of `verification`.
    """

    always_sent: ClassVar[frozenset[str]] = frozenset({"user"})
    user: UserInfo | None = None
    tokens: TokenPair | None = None
    verification: Requested | None = None

    @property
    def pending(self) -> bool:
        """Whether a mail has to complete the registration."""
        return self.user is None

    @property
    def user_id(self) -> str:
        """The id of the account; empty while the registration is pending."""
        return self.user.id if self.user is not None else ""

    @property
    def request(self) -> str:
        """The `request` that belongs to the code of the mail; empty without one."""
        return self.verification.request if self.verification is not None else ""

    def body(self) -> Answer:
        """Return what is sent: 201 with the account, or 202 with the request of the mail."""
        return self.verification if self.pending and self.verification is not None else self

    def token_pair(self) -> TokenPair | None:
        """Return the tokens of the login."""
        return self.tokens

    def without_tokens(self) -> "Registration":
        """Return the answer for cookie mode."""
        return msgspec.structs.replace(self, tokens=self.tokens.without_tokens() if self.tokens else None)

    def mail_request(self) -> Requested | None:
        """Return the request of the mail."""
        return self.verification
