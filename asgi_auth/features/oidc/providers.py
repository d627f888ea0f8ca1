"""Providers as plain data: where a login goes, and what of the answer is believed."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from asgi_auth.features.oidc.client_secrets import AppleSecret
from asgi_auth.features.oidc.profile import Profile, address_of, is_subject, label_of
from asgi_auth.sources.kinds import check_kinds

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True)
class Provider:
    """What all providers have.

    `name` is in the paths, `title` on the pages. `speaks_for_addresses`: whether an address that the provider calls
    verified counts as verified here; then it may open the account of that address. `authorize` are further parameters
    of the authorization request. `required_claims` are the claims that a login must have.
    """

    name: str
    client_id: str
    client_secret: str | AppleSecret = field(repr=False)
    _: KW_ONLY
    title: str = ""
    scope: str = "openid email profile"
    speaks_for_addresses: bool = True
    authorize: Mapping[str, str] = field(default_factory=dict)
    #: The scope and the parameters that ask for a refresh token, where tokens are kept.
    offline_scope: str = ""
    offline: Mapping[str, str] = field(default_factory=dict)
    required_claims: Mapping[str, Any] = field(default_factory=dict)
    #: The claim that calls the address verified, and the values of it that do.
    verified_claim: str = "email_verified"
    verified_values: Sequence[Any] = (True,)

    def __post_init__(self) -> None:
        """Check what every provider needs. Raises ValueError."""
        check_kinds(self)
        if NAME.fullmatch(self.name) is None:
            raise ValueError(f"{self.name!r}: the name of a provider has lower-case letters, digits and hyphens")
        if not self.client_id or not self.client_secret:
            raise ValueError(f"{self.name}: a provider needs client_id and client_secret")

    @property
    def shown(self) -> str:
        """The name on pages."""
        return self.title or self.name.capitalize()

    def calls_verified(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether the provider calls the address verified: by the very values, as `1` is no `true`."""
        value = claims.get(self.verified_claim)
        return any(type(value) is type(each) and value == each for each in self.verified_values)

    def fits(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether the claims have what a login must have."""
        return all(claims.get(name) == value for name, value in self.required_claims.items())


@dataclass(frozen=True)
class OpenIDProvider(Provider):
    """A provider of OpenID Connect, found by discovery: `issuer` alone says where it is.

    An `issuer` with `{tenantid}` stands for many issuers, each named by the claim `tid`; `discovery` is then where the
    metadata is, and such a provider speaks for no address. With `tenants` only these log in. `tells_auth_time`: whether
    the ID token says when the user logged in, if it is asked to; then a linked account can prove a fresh login.
    """

    _: KW_ONLY
    issuer: str
    offline_scope: str = "offline_access"
    #: OpenID Connect Core 1.0, section 11, wants the consent.
    offline: Mapping[str, str] = field(default_factory=lambda: {"prompt": "consent"})
    discovery: str = ""
    tenants: Collection[str] = ()
    tells_auth_time: bool = True

    def __post_init__(self) -> None:
        """Check the issuer. Raises ValueError."""
        super().__post_init__()
        parts = urlsplit(self.issuer)
        if not parts.scheme or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{self.name}: the issuer is a URL without query and fragment")
        if self.is_template and (self.speaks_for_addresses or not self.discovery):
            raise ValueError(f"{self.name}: an issuer for many tenants needs `discovery`, and speaks for no address")

    @property
    def is_template(self) -> bool:
        """Whether the issuer stands for many."""
        return "{tenantid}" in self.issuer

    @property
    def metadata_url(self) -> str:
        """Where the metadata is (OpenID Connect Discovery 1.0, section 4)."""
        return self.discovery or f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"

    def issuer_of(self, claims: Mapping[str, Any]) -> str | None:
        """Return the issuer that claims must name; None for a tenant that may not log in."""
        if not self.is_template:
            return self.issuer
        tenant = claims.get("tid")
        if not isinstance(tenant, str) or not re.fullmatch(r"[0-9a-f-]{36}", tenant):
            return None
        return None if self.tenants and tenant not in self.tenants else self.issuer.replace("{tenantid}", tenant)


@dataclass(frozen=True)
class OAuthProvider(Provider):
    """A provider of OAuth 2 alone: its API says who the user is.

    `issuer` is the first half of each identity. `subject`, `email` and `label` are the members of the answer of
    `user_url`. With `emails_url`, the primary address of the list there is taken.
    """

    _: KW_ONLY
    issuer: str
    authorize_url: str
    token_url: str
    user_url: str
    emails_url: str = ""
    subject: str = "id"
    email: str = "email"
    label: str = "name"
    user_headers: Mapping[str, str] = field(default_factory=dict)
    #: Whether the provider takes the parameters of PKCE (RFC 7636); most ignore them at worst, and some refuse them.
    pkce: bool = True

    def profile(self, user: Mapping[str, Any], emails: Sequence[Mapping[str, Any]] = ()) -> Profile | None:
        """Return the profile in the answers of the API; None for a user without a subject."""
        subject = user.get(self.subject)
        if isinstance(subject, bool) or not isinstance(subject, str | int) or not is_subject(str(subject)):
            return None
        primary = next((each for each in emails if each.get("primary") is True), None)
        source = {**user, self.email: primary.get("email"), **primary} if primary is not None else user
        email, label = source.get(self.email), user.get(self.label)
        return Profile(
            issuer=self.issuer,
            subject=str(subject),
            email=address_of(email),
            email_verified=self.calls_verified(source),
            label=label_of(label),
        )
