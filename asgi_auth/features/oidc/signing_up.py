"""Sign-ups that a provider leaves incomplete: the user types the address or the extra fields that are missing.

What the provider has said is kept for ten minutes. Its secret is in a cookie, or in the answer to a script: so the
account at the provider is not lost, and only this browser completes the sign-up. A typed address proves nothing.
"""

from typing import Any

from asgi_auth.accounts.secret_tokens import digest_of
from asgi_auth.errors import AccountDisabledError, ValidationError
from asgi_auth.feature import Answer, Client, Email, OneTimeToken, Requested, TokenPair, TokenText, get, post
from asgi_auth.features.oidc.base import LIMITS, OIDCBase
from asgi_auth.features.oidc.errors import SIGN_UP, InvalidLoginStateError, LinkNeededError
from asgi_auth.features.oidc.profile import Profile
from asgi_auth.features.oidc.providers import Provider
from asgi_auth.features.oidc.signing_in import SIGN_UP_PURPOSE, Entrance, Typed
from asgi_auth.model import event_types as events
from asgi_auth.validation.reasons import Reason


class PendingSignUp(Answer, frozen=True, kw_only=True):
    """A sign-up that is not complete: the provider, the address if it named one, and the defaults of extra fields."""

    provider: str
    title: str
    email: str
    data: dict[str, Any]


class SigningUp(OIDCBase):
    """The endpoints that complete a sign-up."""

    @get("/oidc/pending-sign-up", limits=LIMITS, errors=(InvalidLoginStateError,))
    async def oidc_pending_sign_up(self, *, client: Client = Client()) -> PendingSignUp:
        """Return what a provider has said for the sign-up of this browser."""
        _, provider, profile = await self._waiting("", client)
        data: dict[str, Any] = {item.name: item.default for item in self.auth.settings.fields}
        return PendingSignUp(provider=provider.name, title=provider.shown, email=profile.email, data=data)

    @post(
        "/oidc/sign-up",
        logs_in=True,
        limits=LIMITS,
        event=events.REGISTER,
        errors=(InvalidLoginStateError, LinkNeededError, AccountDisabledError),
        also=(Requested,),
    )
    async def oidc_sign_up(
        self, *, sign_up: TokenText = "", email: Email = "", client: Client = Client(), **data: object
    ) -> TokenPair | Requested:
        """Complete a sign-up at a provider with what is missing; an address of your own is proven by a mail.

        `sign_up` is the secret in the error, or its cookie.
        """
        token, provider, profile = await self._waiting(sign_up, client)
        if not email and not profile.email:
            raise ValidationError({"email": [Reason("missing")]})
        typed = Typed(email, data, token.id)
        return await self._signing_in.complete(Entrance(provider, profile, client, typed))

    async def _waiting(self, secret: str, client: Client) -> tuple[OneTimeToken, Provider, Profile]:
        """Return what was kept of a sign-up. Raises InvalidLoginStateError."""
        secret = secret or client.cookies.get(SIGN_UP, "")
        token = await self.auth.storage.find_token(SIGN_UP_PURPOSE, digest_of(secret), int(self.auth.now()))
        provider = self._providers.get(token.data["provider"]) if token is not None else None
        if token is None or provider is None:
            raise InvalidLoginStateError
        return token, provider, Profile.of(token.data["profile"])
