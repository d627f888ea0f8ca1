"""An `Auth` with all that can be documented."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec

from asgi_auth import (
    Admin,
    Argon2,
    Auth,
    AuthorizationServer,
    BrowserClient,
    Field,
    Issuer,
    Lockout,
    MagicLink,
    OAuthClient,
    OpenAPI,
    Outbox,
    Pages,
    Passkeys,
    Passwords,
    RateLimits,
    RecoveryCodes,
    Resource,
    Revocation,
    SecondFactors,
    ServerMetadata,
    Totp,
    TrustedDevices,
)
from asgi_auth.crypto.key_rotation import new_key
from asgi_auth.feature import Email, Feature
from asgi_auth.features.defaults import defaults
from tests.support import ORIGIN, Clock, make_auth

KEY = new_key()
#: Of a client with a secret, the id and the secret.
REPORTS = ("reports", "b7Wq2-tR9xKf4-mZc8Ld1-vHn5Yg3-pXs6")


class Home(msgspec.Struct, forbid_unknown_fields=True):
    """An address of a house."""

    street: Annotated[str, msgspec.Meta(max_length=80, pattern="^[a-z ]*$")]
    number: Annotated[int, msgspec.Meta(ge=1, le=999)] = 1


FIELDS = (
    Field("company", max_length=80, required=True),
    Field("age", int),
    Field("height", float),
    Field("news", bool),
    Field("plan", choices=["free", "pro"], default="free"),
    Field("size", Literal[38, 40, 42]),
    Field("badge", pattern="[A-Z]{2}[0-9]{4}", max_length=6),
    Field("born", date),
    Field("seen", datetime),
    Field("billing", Email),
    Field("tags", list[str], max_items=5, max_length=20),
    Field("home", Home),
)


def everything(
    clock: Clock | None = None,
    *more: Feature,
    limits: bool = True,
    pages: bool = True,
    fields: Sequence[Field] = FIELDS,
    **options: Any,
) -> Auth:
    """An `Auth` with every feature that has endpoints, and an extra field of each type; with `limits` or without.

    Without `pages`, there is no authorization server: it needs them.
    """
    passwords = Passwords(argon2=Argon2.cheap(), login_after_register=True)
    factors = [SecondFactors(), Totp(), RecoveryCodes(), TrustedDevices(), Passkeys(sign_up=True)]
    others = [MagicLink(), *factors, Admin(), Issuer(), Revocation(), ServerMetadata(), BrowserClient(), OpenAPI()]
    others += [Pages(), authorization_server()] if pages else []
    features = [passwords, *defaults(mail=True)[1:], *others, *more]
    if not limits:
        features = [item for item in features if not isinstance(item, RateLimits | Lockout)]
    options = {"issuer": f"{ORIGIN}/auth", "signing_keys": [KEY]} | options
    return make_auth(clock=clock, features=features, mailer=Outbox(), fields=fields, **options)


def authorization_server() -> AuthorizationServer:
    """One with a resource, and a client with a secret."""
    name, secret = REPORTS
    reports = OAuthClient("Reports", ["https://reports.example.com/callback"], secret=secret)
    resource = Resource("Notes", scopes={"notes:read": "Read your notes", "notes:write": "Change your notes"})
    return AuthorizationServer({"/mcp": resource}, clients={name: reports})
