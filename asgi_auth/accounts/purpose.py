"""The purposes of one-time tokens, and the body schema of endpoints that take a token."""

from collections.abc import Mapping
from typing import Any

from asgi_auth.errors import InvalidOneTimeTokenError
from asgi_auth.validation.numbers import check_whole

#: The limits of endpoints that send mails. By network alone: what strangers asked never refuses a mail to the owner.
MAIL_LIMITS = "30/m/ip, 300/h/ip"
#: The limits of endpoints that take the token of a mail.
TOKEN_LIMITS = "60/m/ip, 300/h/ip"
#: The body of an endpoint that takes the token, or the code with its request: for `post(schema=…)`.
TOKEN_OR_CODE: Mapping[str, Any] = {
    "oneOf": [
        {
            "title": "ByToken",
            "required": ["token"],
            "properties": {"token": {"type": "string", "examples": ["3q2-7wAAyXo1b9dVYxM0Jc5nQmTtU8r6LhKpEfGsZiA"]}},
        },
        {
            "title": "ByCode",
            "required": ["request", "code"],
            "properties": {
                "request": {"type": "string", "minLength": 1, "examples": ["0192f0c1d3e47a5b8c6d9e0f1a2b3c4d"]},
                "code": {"type": "string", "minLength": 1, "examples": ["482913"]},
            },
        },
    ]
}


class Purpose:
    """A kind of one-time token, with its lifetime and limits.

    `ttl`: seconds until the token expires. `quiet`: seconds in which one client can have no second mail sent to an
    address. `most`: mails that a network from which the account has never logged in can have sent to an address in 24
    hours; all purposes together have a bound as well. `path`: the page below the mount that the link leads to; `link`:
    a page elsewhere, with `{token}` in it. `error`: the error for an invalid token or code. `registers`: whether the
    caller has no account yet; the first such mail of each network in 24 hours is then not among those that strangers
    can use up.
    """

    def __init__(
        self,
        name: str,
        path: str,
        *,
        ttl: int,
        quiet: int = 60,
        most: int = 5,
        link: str | None = None,
        registers: bool = False,
        error: type[InvalidOneTimeTokenError] = InvalidOneTimeTokenError,
    ) -> None:
        """Check the bounds; raises ValueError."""
        check_whole(ttl=ttl, most=most)
        check_whole(0, quiet=quiet)
        if link is not None and "{token}" not in link:
            raise ValueError("a link must contain {token}")
        self.name = name
        self.path = path
        self.ttl = ttl
        self.quiet = quiet
        self.most = most
        self.link = link
        self.registers = registers
        self.error = error
