"""Attaches the features to an `Auth`, after which they find each other."""

from collections.abc import Sequence
from typing import Any

from asgi_auth.feature.base import BaseFeature


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


def check_verification(verification: str, *, by_mail: bool, hide: bool) -> None:
    """Check the setting `verification` with whether mails complete registrations, and whether those hide accounts.

    Raises ValueError.
    """
    if verification == "required" and not by_mail:
        raise ValueError("verification needs the feature EmailVerification")
    if verification == "off" and hide:
        raise ValueError(
            "without verification, registration reveals whether an address has an account: "
            "also set enumeration='tell', or remove EmailVerification"
        )
