"""Providers with their addresses and what of their answers is believed, as their documentation has it."""

from asgi_auth.features.oidc.client_secrets import AppleSecret
from asgi_auth.features.oidc.providers import OAuthProvider, OpenIDProvider

MICROSOFT = "https://login.microsoftonline.com"
#: The tenant of personal accounts.
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"


def google(client_id: str, client_secret: str, *, hosted_domain: str = "", name: str = "google") -> OpenIDProvider:
    """Return Google. With `hosted_domain`, only accounts of that organization log in, by the signed claim `hd`."""
    hosted = {"hd": hosted_domain} if hosted_domain else {}
    return OpenIDProvider(
        name,
        client_id,
        client_secret,
        title="Google",
        issuer="https://accounts.google.com",
        authorize=hosted,
        required_claims=hosted,
        # It gives a refresh token with the consent alone.
        offline_scope="",
        offline={"access_type": "offline", "prompt": "consent"},
        tells_auth_time=False,
    )


def microsoft(client_id: str, client_secret: str, *, tenant: str, name: str = "microsoft") -> OpenIDProvider:
    """Return Microsoft Entra ID, for the id of a `tenant`, or for `common`, `organizations` or `consumers`.

    Users of a tenant may choose their address, so an address counts as verified only by the claim `xms_edov`, which
    an app has to ask for. `common` and `organizations` speak for no address.
    """
    many = tenant in {"common", "organizations"}
    issuer = f"{MICROSOFT}/{'{tenantid}' if many else CONSUMERS if tenant == 'consumers' else tenant}/v2.0"
    return OpenIDProvider(
        name,
        client_id,
        client_secret,
        title="Microsoft",
        issuer=issuer,
        discovery=f"{MICROSOFT}/{tenant}/v2.0/.well-known/openid-configuration" if many else "",
        speaks_for_addresses=not many,
        verified_claim="xms_edov",
        offline={},
        # An optional claim, which an app has to ask for at the console.
        tells_auth_time=False,
    )


def apple(client_id: str, *, team_id: str, key_id: str, private_key: str, name: str = "apple") -> OpenIDProvider:
    """Return Sign in with Apple. It answers by a form, and may write the claim `email_verified` as text."""
    return OpenIDProvider(
        name,
        client_id,
        AppleSecret(team_id, key_id, private_key),
        title="Apple",
        issuer="https://appleid.apple.com",
        scope="openid email name",
        authorize={"response_mode": "form_post"},
        verified_values=(True, "true"),
        offline_scope="",
        offline={},
        tells_auth_time=False,
    )


def github(client_id: str, client_secret: str, *, name: str = "github") -> OAuthProvider:
    """Return GitHub: OAuth 2 alone. The address is the primary one of the account."""
    return OAuthProvider(
        name,
        client_id,
        client_secret,
        title="GitHub",
        scope="read:user user:email",
        issuer="https://github.com",
        authorize_url="https://github.com/login/oauth/authorize",
        token_url="https://github.com/login/oauth/access_token",
        user_url="https://api.github.com/user",
        emails_url="https://api.github.com/user/emails",
        label="login",
        verified_claim="verified",
        user_headers={"accept": "application/vnd.github+json"},
    )


def gitlab(
    client_id: str, client_secret: str, *, issuer: str = "https://gitlab.com", name: str = "gitlab"
) -> OpenIDProvider:
    """Return GitLab, or an installation of it at `issuer`."""
    # It gives refresh tokens in any case, and refuses a scope that the app does not have.
    return OpenIDProvider(name, client_id, client_secret, title="GitLab", issuer=issuer, offline_scope="", offline={})


def discord(client_id: str, client_secret: str, *, name: str = "discord") -> OAuthProvider:
    """Return Discord: OAuth 2 alone."""
    return OAuthProvider(
        name,
        client_id,
        client_secret,
        title="Discord",
        scope="identify email",
        issuer="https://discord.com",
        authorize_url="https://discord.com/oauth2/authorize",
        token_url="https://discord.com/api/oauth2/token",
        user_url="https://discord.com/api/users/@me",
        label="username",
        verified_claim="verified",
    )


def linkedin(client_id: str, client_secret: str, *, name: str = "linkedin") -> OAuthProvider:
    """Return LinkedIn, by OAuth 2 and its userinfo endpoint: its ID tokens have no nonce.

    It refuses PKCE for web apps, so the state alone protects the code here.
    """
    return OAuthProvider(
        name,
        client_id,
        client_secret,
        title="LinkedIn",
        issuer="https://www.linkedin.com/oauth",
        authorize_url="https://www.linkedin.com/oauth/v2/authorization",
        token_url="https://www.linkedin.com/oauth/v2/accessToken",
        user_url="https://api.linkedin.com/v2/userinfo",
        subject="sub",
        pkce=False,
    )
