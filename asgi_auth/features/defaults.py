"""The default features of an `Auth`."""

from collections.abc import Sequence

from asgi_auth.feature import Feature
from asgi_auth.feature.base import BaseFeature
from asgi_auth.features.account import Account
from asgi_auth.features.audit import Audit
from asgi_auth.features.email_change import EmailChange
from asgi_auth.features.email_verification import EmailVerification
from asgi_auth.features.health import Health
from asgi_auth.features.invitations import Invitations
from asgi_auth.features.lockout import Lockout
from asgi_auth.features.new_device import NewDevice
from asgi_auth.features.notices import Notices
from asgi_auth.features.password_reset import PasswordReset
from asgi_auth.features.passwords import Passwords
from asgi_auth.features.rate_limits import RateLimits
from asgi_auth.features.revocation import Revocation
from asgi_auth.features.server_metadata import ServerMetadata
from asgi_auth.features.sessions import Sessions
from asgi_auth.features.token_endpoint import TokenEndpoint
from asgi_auth.features.unlock import Unlock


def defaults(*, mail: bool, passwords: Passwords | None = None) -> list[Feature]:
    """Return the default features of an `Auth`; with `mail`, those that need a mailer as well.

    `passwords` takes the place of `Passwords()`.
    """
    by_mail: list[Feature] = [EmailVerification(), PasswordReset(), EmailChange(), Unlock(), Notices(), NewDevice()]
    by_mail += [Invitations()]
    always: list[Feature] = [
        passwords or Passwords(),
        Sessions(),
        TokenEndpoint(),
        Account(),
        RateLimits(),
        Lockout(),
        Audit(),
        Health(),
    ]
    return [*always, *(by_mail if mail else [])]


def completed(features: Sequence[BaseFeature]) -> list[BaseFeature]:
    """Return features, with `Revocation` and `ServerMetadata` if one of them announces its endpoints."""
    listed = {type(feature) for feature in features}
    added = [Revocation(), ServerMetadata()] if any(feature.announces for feature in features) else []
    return [*features, *(feature for feature in added if type(feature) not in listed)]
