"""What a provider has given out: codes that work once, access tokens, and refresh tokens."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from asgi_auth.testing.provider.jose import b64
from asgi_auth.testing.provider.wire import RefusedError

#: Seconds that a code lives (RFC 6749, 4.1.2).
CODE_SECONDS = 60
VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


@dataclass(frozen=True)
class Grant:
    """What a user has allowed: the client, the address that the code went to, and the request for it."""

    subject: str
    client_id: str
    redirect_uri: str
    scope: str
    asked: Mapping[str, str]
    auth_time: int
    until: float

    @property
    def scopes(self) -> list[str]:
        """The scopes."""
        return self.scope.split()

    def check_verifier(self, verifier: str) -> None:
        """Compare a verifier with the challenge of the request (RFC 7636, 4.6). Raises RefusedError."""
        challenge = self.asked.get("code_challenge", "")
        if not challenge and not verifier:
            return
        found = b64(hashlib.sha256(verifier.encode()).digest())
        if not VERIFIER.fullmatch(verifier) or not hmac.compare_digest(found, challenge):
            raise RefusedError("invalid_grant", "the verifier does not fit the challenge")


@dataclass
class Grants:
    """The grants of one provider. `seconds` is the life of an access token, `rotates` replaces used refresh tokens."""

    seconds: int = 3600
    rotates: bool = False
    codes: dict[str, Grant] = field(default_factory=dict)
    access: dict[str, Grant] = field(default_factory=dict)
    refresh: dict[str, Grant] = field(default_factory=dict)
    used: dict[str, Grant] = field(default_factory=dict)

    def code(self, grant: Grant) -> str:
        """Give out a code."""
        code = secrets.token_urlsafe(24)
        self.codes[code] = grant
        return code

    def redeem(self, form: Mapping[str, str], client_id: str, now: float) -> Grant:
        """Take a code. Raises RefusedError; a code that comes again ends the tokens of its grant (RFC 6749, 4.1.2)."""
        code = form.get("code", "")
        grant = self.codes.pop(code, None)
        if grant is None:
            self._end(self.used.get(code))
            raise RefusedError("invalid_grant", "the code is unknown or used")
        self.used[code] = grant
        if grant.client_id != client_id:
            raise RefusedError("invalid_grant", "the code of another client")
        if grant.redirect_uri != form.get("redirect_uri"):
            raise RefusedError("invalid_grant", "the code went to another address")
        if now >= grant.until:
            raise RefusedError("invalid_grant", "the code has expired")
        grant.check_verifier(form.get("code_verifier", ""))
        return grant

    def renew(self, form: Mapping[str, str], client_id: str) -> Grant:
        """Take a refresh token. Raises RefusedError."""
        token = form.get("refresh_token", "")
        grant = self.refresh.get(token)
        if grant is None or grant.client_id != client_id:
            raise RefusedError("invalid_grant", "the refresh token is unknown")
        if self.rotates:
            del self.refresh[token]
        return grant

    def tokens(self, grant: Grant, now: float, *, with_refresh: bool) -> dict[str, str | int]:
        """Give out an access token, and a refresh token if asked to: the members of the answer (RFC 6749, 5.1)."""
        access = secrets.token_urlsafe(24)
        self.access[access] = replace(grant, until=now + self.seconds)
        members: dict[str, str | int] = {"access_token": access, "token_type": "Bearer", "expires_in": self.seconds}
        members["scope"] = grant.scope
        if with_refresh:
            members["refresh_token"] = refresh = secrets.token_urlsafe(24)
            self.refresh[refresh] = grant
        return members

    def holder(self, token: str, now: float) -> Grant:
        """Return the grant of an access token. Raises RefusedError (RFC 6750, 3.1)."""
        grant = self.access.get(token)
        if grant is None or now >= grant.until:
            raise RefusedError("invalid_token", "the access token is unknown or expired", status=401)
        return grant

    def _end(self, grant: Grant | None) -> None:
        for held in (self.access, self.refresh):
            for token in [token for token, other in held.items() if grant and other.asked is grant.asked]:
                del held[token]
