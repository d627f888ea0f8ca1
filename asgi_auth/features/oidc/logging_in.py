"""Logins at providers: the way there, and the way back, which links and step-ups take as well."""

from typing import Annotated, TypeAlias
from urllib.parse import urlencode

import msgspec

from asgi_auth.errors import AuthError, CrossSiteRequestError, NotFoundError, ProviderUnavailableError
from asgi_auth.feature import Client, Identity, Line, Redirect, Requested, TokenPair, get, post
from asgi_auth.features.oidc.answers import ProviderList
from asgi_auth.features.oidc.base import LIMITS
from asgi_auth.features.oidc.errors import (
    EmailNeededError,
    FieldsNeededError,
    IdentityTakenError,
    InvalidLoginStateError,
    LinkNeededError,
    OtherIdentityError,
    ProviderRefusedError,
    RegistrationClosedError,
)
from asgi_auth.features.oidc.flows import STATE, Flow, label_cookie, label_in
from asgi_auth.features.oidc.handing_over import Challenge, HandingOver
from asgi_auth.features.oidc.linking import Linking
from asgi_auth.features.oidc.profile import Profile, label_of, name_in
from asgi_auth.features.oidc.renewing import Renewing
from asgi_auth.features.oidc.signing_up import SigningUp
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import LoginRedirect, RequestedAtLogin

#: A code of a provider: longer than other lines.
Code: TypeAlias = Annotated[str, msgspec.Meta(max_length=4096)]
ERRORS = (
    InvalidLoginStateError,
    ProviderRefusedError,
    LinkNeededError,
    IdentityTakenError,
    OtherIdentityError,
    EmailNeededError,
    FieldsNeededError,
    RegistrationClosedError,
    ProviderUnavailableError,
    NotFoundError,
)


class LoggingIn(Linking, Renewing, HandingOver, SigningUp):
    """The endpoints of a browser on its way to a provider and back."""

    @get("/oidc/providers")
    async def providers(self) -> ProviderList:
        """List the providers that users can log in with."""
        return ProviderList(providers=self._shown())

    @get(
        "/oidc/{provider}/login",
        navigates=True,
        begun_by="challenge",
        limits=LIMITS,
        errors=(ProviderUnavailableError, NotFoundError, CrossSiteRequestError),
    )
    async def oidc_login(
        self,
        *,
        provider: Line,
        next: Line = "",  # noqa: A002 (a field of the API)
        challenge: Challenge = "",
        client: Client = Client(),
    ) -> Redirect:
        """Send a browser to a provider; after the login there, it goes on at `next`.

        With a `challenge`, `next` is a page of a script, which gets a `token` in its URL, or an `error`.
        """
        self._connection(provider)
        if challenge:
            self._check_script(next)
        else:
            self._check_target(next)
        flow = self._flows.begin(provider, next, challenge=challenge)
        return Redirect(await self._way_to(provider, flow), flow.set_cookies(client.cookies), elsewhere=True)

    @get(
        "/oidc/{provider}/callback",
        navigates=True,
        logs_in=True,
        # A login takes the place of a session in which another user acts.
        acting=True,
        limits=LIMITS,
        event=events.LOGIN,
        errors=ERRORS,
        also=(Requested,),
    )
    async def oidc_callback(
        self,
        *,
        provider: Line,
        code: Code = "",
        state: Line = "",
        iss: Line | None = None,
        error: Line = "",
        identity: Identity | None = None,
        client: Client = Client(),
    ) -> LoginRedirect | Redirect | Requested:
        """Finish a login at a provider, or a link to an account there; the provider sends the browser here."""
        self._connection(provider)
        flow = await self._flows.finish(provider, state, client.cookies)
        try:
            profile = await self._returned(flow, provider, code, iss, error)
            if not profile.label:
                profile = msgspec.structs.replace(profile, label=label_of(label_in(state, client.cookies)))
            if flow.begun.challenge:
                return await self._handed_over(flow, provider, profile)
            entered = await self._entered(flow, provider, profile, identity, client)
        except AuthError as refusal:
            refusal.next = flow.begun.next
            if flow.begun.challenge:
                return await self._refused_to_script(flow, refusal, client)
            raise
        if isinstance(entered, RequestedAtLogin):
            return msgspec.structs.replace(entered, next=flow.begun.next)
        if isinstance(entered, Requested):
            return entered
        target = flow.begun.next if self.auth.page_urls.allows(flow.begun.next) else "/"
        return LoginRedirect(target, (flow.forget_cookie(),), tokens=entered, next=flow.begun.next)

    @post("/oidc/{provider}/callback", navigates=True, limits=LIMITS, errors=(NotFoundError,))
    async def oidc_form_callback(
        self,
        *,
        provider: Line,
        code: Code = "",
        state: Line = "",
        iss: Line | None = None,
        error: Line = "",
        user: Code = "",
    ) -> Redirect:
        """Take the answer of a provider that sends a form, and go on with GET, where the cookie of the browser is."""
        self._connection(provider)
        sent = {"code": code, "state": state, "iss": iss or "", "error": error}
        query = urlencode({name: text for name, text in sent.items() if text})
        label = name_in(user)
        cookies = (label_cookie(state, label),) if label and STATE.fullmatch(state) else ()
        return Redirect(f"{self.auth.page_urls.below_mount(self._callback(provider))}?{query}", cookies)

    async def _returned(self, flow: Flow, provider: str, code: str, issuer: str | None, error: str) -> Profile:
        """Return the profile of the user that a provider has sent back. Raises ProviderRefusedError."""
        if error or not code:
            raise ProviderRefusedError(f"{provider}: the login ended with {error[:64]!r}")
        connection = self._connection(provider)
        await connection.check_issuer(issuer)
        profile, answer = await connection.profile(flow, code, self._redirect_uri(provider))
        return self._kept.sealed(profile, answer)

    async def _entered(
        self, flow: Flow, provider: str, profile: Profile, identity: Identity | None, client: Client
    ) -> TokenPair | Requested | None:
        """Log in; or link, or renew, only in the very session that has begun it (CVE-2015-9284)."""
        if not flow.begun.session:
            return await self._signing_in.enter(self._providers[provider], profile, client)
        if identity is None or identity.session_id != flow.begun.session or identity.actor is not None:
            raise InvalidLoginStateError
        if flow.begun.renews:
            return await self._renewed(flow, profile, identity, client)
        await self._signing_in.link(self._providers[provider], profile, identity, client)
        return None
