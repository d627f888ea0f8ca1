"""An `Auth` with all that can be documented."""

from collections.abc import Sequence
from typing import Any

from asgi_auth import Argon2, Auth, Field, Lockout, MagicLink, OpenAPI, Outbox, Passwords, RateLimits
from asgi_auth.feature import Feature
from asgi_auth.features.defaults import defaults
from tests.support import Clock, make_auth

FIELDS = (
    Field("company", max_length=80, required=True),
    Field("age", int),
    Field("height", float),
    Field("news", bool),
)


def everything(
    clock: Clock | None = None,
    *more: Feature,
    limits: bool = True,
    fields: Sequence[Field] = FIELDS,
    **options: Any,
) -> Auth:
    """An `Auth` with every feature that has endpoints, and an extra field of each type; with `limits` or without."""
    passwords = Passwords(argon2=Argon2.cheap(), login_after_register=True)
    features = [passwords, *defaults(mail=True)[1:], MagicLink(), OpenAPI(), *more]
    if not limits:
        features = [item for item in features if not isinstance(item, RateLimits | Lockout)]
    return make_auth(clock=clock, features=features, mailer=Outbox(), fields=fields, **options)
