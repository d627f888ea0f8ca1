"""Attaches the features to an `Auth`, after which they find each other."""

from collections.abc import Sequence
from typing import Any

from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.feature.base import BaseFeature
from asgi_auth.validation.email_address import canonical_or_none
from asgi_auth.validation.password_policy import common_passwords


def attach(features: Sequence[BaseFeature], auth: Any) -> None:
    """Attach the features; raises ValueError for one that is listed twice, or lacks another."""
    for number, feature in enumerate(features):
        if any(type(feature) is type(other) for other in features[:number]):
            raise ValueError("a feature is listed twice")
        feature.attach(auth)
    for feature in features:
        for kind in feature.needs:
            if auth.get(kind) is None:
                raise ValueError(f"{type(feature).__name__} needs a {kind.__name__}")
    known = {endpoint.name for feature in features for endpoint in feature.endpoints}
    if unknown := {name for feature in features for name in feature.needs_endpoints} - known:
        raise ValueError(f"there is no endpoint {', '.join(sorted(unknown))}")


def check_verification(auth: Any) -> None:
    """Check the setting `verification` with the features that use it. Raises ValueError."""
    verification = auth.settings.verification
    if verification == "required" and auth.get(RegistrationService) is None:
        raise ValueError("verification needs the feature EmailVerification")
    if verification == "off" and auth.conceals:
        raise ValueError(
            "without verification, registration reveals whether an address has an account: "
            "also set enumeration='tell', or remove EmailVerification"
        )


def load_validators(auth: Any) -> None:
    """Import what the first registration needs: that takes 0.1 s, and no request should wait for it."""
    if any("email" in endpoint.fields for feature in auth.features for endpoint in feature.endpoints):
        canonical_or_none("ada@bücher.example.com")
    if auth.get(PasswordService) is not None:
        common_passwords()
