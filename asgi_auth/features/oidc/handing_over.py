"""Handoff: a login that a script of another origin begins, and ends with tokens in place of cookies.

The script makes a random verifier, and begins the login with its digest as the `challenge` (S256, as in RFC 7636). The
browser comes back to the page of the script with a one-time token in the URL. Without the verifier, which only the
script has, the token is of no use. Until the script shows both, no account is made, linked or logged in.
"""

from collections.abc import Mapping
from typing import Annotated, TypeAlias
from urllib.parse import urlencode, urlsplit

import msgspec

from asgi_auth.accounts.secret_tokens import digest_of, new_token
from asgi_auth.errors import AccountDisabledError, AuthError, BadRequestError
from asgi_auth.feature import Client, Redirect, Requested, TokenPair, TokenText, post
from asgi_auth.features.oidc.base import LIMITS, OIDCBase
from asgi_auth.features.oidc.errors import (
    EmailNeededError,
    FieldsNeededError,
    InvalidHandoffError,
    LinkNeededError,
    RegistrationClosedError,
)
from asgi_auth.features.oidc.flows import Flow, is_verifier
from asgi_auth.features.oidc.profile import Profile
from asgi_auth.model import event_types as events
from asgi_auth.validation.origins import listed_origin
from asgi_auth.validation.targets import is_local_path

#: The purpose of the tokens, and seconds that each lives.
PURPOSE, TTL = "oidc_handoff", 60
#: A digest by S256 (RFC 7636, section 4.2, with the example of appendix B), or nothing.
Challenge: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern="^([A-Za-z0-9_-]{43})?$",
        max_length=43,
        examples=["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"],
    ),
]
#: A verifier (RFC 7636, section 4.1).
Verifier: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern="^[A-Za-z0-9._~-]{43,128}$",
        max_length=128,
        examples=["dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"],
    ),
]


class HandingOver(OIDCBase):
    """The end of a login that a script has begun."""

    @post(
        "/handoff",
        logs_in=True,
        limits=LIMITS,
        event=events.LOGIN,
        errors=(
            InvalidHandoffError,
            LinkNeededError,
            EmailNeededError,
            FieldsNeededError,
            RegistrationClosedError,
            AccountDisabledError,
        ),
        also=(Requested,),
    )
    async def handoff(
        self, *, token: TokenText, verifier: Verifier, client: Client = Client()
    ) -> TokenPair | Requested:
        """Finish a login at a provider that was begun with a `challenge`: get its tokens, once, within a minute."""
        now = int(self.auth.now())
        found = await self.auth.storage.find_token(PURPOSE, digest_of(token), now)
        if found is None or not is_verifier(verifier, found.data["challenge"]):
            raise InvalidHandoffError
        provider = self._providers.get(found.data["provider"])
        if provider is None or not await self.auth.storage.use_token(found.id, now):
            raise InvalidHandoffError
        profile = Profile.of(found.data["profile"])
        return await self._signing_in.enter(provider, profile, client)

    def _check_script(self, target: str) -> None:
        """Raise BadRequestError unless a target is a page of this site, or of an origin whose scripts may call."""
        settings = self.auth.settings
        origins = {*settings.trusted_origins, *settings.cors_origins, settings.origin} - {"*", None}
        if not is_local_path(target) and origin_in(target) not in origins:
            raise BadRequestError("A login with a challenge goes on at a page of a listed origin.")

    async def _handed_over(self, flow: Flow, provider: str, profile: Profile) -> Redirect:
        """Send the browser back to the script, with a one-time token for what the provider has said."""
        data = {
            "provider": provider,
            "profile": msgspec.to_builtins(profile),
            "challenge": flow.begun.challenge,
        }
        token, secret = new_token(PURPOSE, None, data, now=int(self.auth.now()), seconds=TTL)
        await self.auth.storage.add_token(token)
        return sent_back(flow, {"token": secret})

    async def _refused_to_script(self, flow: Flow, error: AuthError, client: Client) -> Redirect:
        """Send the browser back to the script, with the code of an error, which gets the event of a refused login."""
        data = {"reason": error.code} | ({"cause": error.cause} if error.cause else {})
        await self.auth.emit(events.LOGIN, outcome="failure", client=client, data=data)
        return sent_back(flow, {"error": error.code})


def sent_back(flow: Flow, more: Mapping[str, str]) -> Redirect:
    """Return the redirect to the page of the script, with parameters in its query."""
    page, mark, fragment = flow.begun.next.partition("#")
    target = f"{page}{'&' if '?' in page else '?'}{urlencode(more)}{mark}{fragment}"
    return Redirect(target, (flow.forget_cookie(),), elsewhere=True)


def origin_in(url: str) -> str:
    """Return the origin of a page's URL; empty for a text that browsers could read in another way."""
    if not url.isascii() or not url.isprintable() or any(mark in url for mark in ' \\"<>'):
        return ""
    parts = urlsplit(url)
    try:
        return listed_origin(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        return ""
