"""Login by other providers: OpenID Connect and OAuth 2."""

from asgi_auth.features.oidc.feature import OIDC
from asgi_auth.features.oidc.keeping import ProviderToken
from asgi_auth.features.oidc.presets import apple, discord, github, gitlab, google, linkedin, microsoft
from asgi_auth.features.oidc.providers import OAuthProvider, OpenIDProvider

__all__ = [
    "OIDC",
    "OAuthProvider",
    "OpenIDProvider",
    "ProviderToken",
    "apple",
    "discord",
    "github",
    "gitlab",
    "google",
    "linkedin",
    "microsoft",
]
