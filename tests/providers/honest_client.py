"""An honest client of a fake provider, which takes all answers as they are: it shows what a provider says."""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx2

from asgi_auth.testing.provider.jose import b64, decoded
from asgi_auth.testing.provider.network import Network
from asgi_auth.testing.provider.returns import Return
from asgi_auth.testing.provider.server import SECRET, FakeServer

CALLBACK = "https://app.example.com/auth/callback"


@dataclass
class HonestClient:
    """One client, and one login of it with a verifier and a nonce."""

    provider: FakeServer
    client_id: str = "app"
    secret: str = SECRET
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def __post_init__(self) -> None:
        self.http = httpx2.AsyncClient(transport=Network(self.provider))

    def begin(self, **more: str) -> str:
        """The URL of a request for authorization."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid email profile",
            "state": "the state",
            "nonce": self.nonce,
            "code_challenge": b64(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        return f"{self.provider.url('authorization')}?{urlencode({k: v for k, v in (asked | more).items() if v})}"

    async def back(self, **more: str) -> Return:
        """Go to the provider as a browser."""
        return await self.provider.visit(self.begin(**more))

    async def code(self, **more: str) -> str:
        """Ask for a code."""
        return (await self.back(**more)).parameters["code"]

    async def token(self, *, basic: bool = True, **more: str) -> httpx2.Response:
        """Ask the token endpoint; `more` changes the form."""
        form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": self.verifier} | more
        if basic:
            pair = (quote_plus(self.client_id), quote_plus(self.secret))
            return await self.http.post(self.provider.url("token"), data=form, auth=pair)
        return await self.http.post(self.provider.url("token"), data=form)

    async def login(self, **more: str) -> dict[str, Any]:
        """Take the whole way, and return the answer of the token endpoint."""
        answer = await self.token(code=await self.code(**more))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def claims(self, **more: str) -> dict[str, Any]:
        """Take the whole way, and return the claims of the ID token without a check."""
        return decoded((await self.login(**more))["id_token"])[1]

    async def read(self, endpoint: str, token: str = "") -> httpx2.Response:
        """Read an endpoint, with a bearer token."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self.http.get(self.provider.url(endpoint), headers=headers)
