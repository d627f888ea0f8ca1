"""How the server proves to a provider which client it is (RFC 6749, section 2.3)."""

import base64
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import quote_plus

#: Seconds that a signed client secret is valid.
SECRET_TTL = 300


@dataclass(frozen=True)
class AppleSecret:
    """The key of a team at Apple: each call gets a client secret of its own, a JWT signed with ES256.

    So no secret expires, and none has to be renewed. `private_key` is the text of the `.p8` file.
    """

    team_id: str
    key_id: str
    private_key: str = field(repr=False)

    def make(self, client_id: str, now: int) -> str:
        """Return a client secret for five minutes."""
        claims = {
            "iss": self.team_id,
            "iat": now,
            "exp": now + SECRET_TTL,
            "aud": "https://appleid.apple.com",
            "sub": client_id,
        }
        from joserfc import jwt  # noqa: PLC0415 (of an extra)
        from joserfc.jwk import ECKey  # noqa: PLC0415

        header = {"alg": "ES256", "kid": self.key_id}
        return jwt.encode(header, claims, ECKey.import_key(self.private_key), algorithms=["ES256"])


def authentication(
    client_id: str, secret: str | AppleSecret, methods: Collection[str], now: int
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the headers and the fields of a form that authenticate the client.

    `client_secret_basic` is the default of OpenID Connect (Discovery 1.0, section 3).
    """
    if isinstance(secret, AppleSecret):
        return {}, {"client_id": client_id, "client_secret": secret.make(client_id, now)}
    if "client_secret_basic" not in methods and "client_secret_post" in methods:
        return {}, {"client_id": client_id, "client_secret": secret}
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}
