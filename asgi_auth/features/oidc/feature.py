"""Login by other providers, such as Google or GitHub: OpenID Connect and OAuth 2."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, TypeAlias
from urllib.parse import urlencode

import msgspec

from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.auth import Auth
from asgi_auth.errors import (
    AuthError,
    BadRequestError,
    EmailNotVerifiedError,
    LastWayInError,
    NotFoundError,
    ProviderUnavailableError,
)
from asgi_auth.feature import (
    Client,
    Feature,
    Form,
    Identity,
    Line,
    Outgoing,
    Redirect,
    Requested,
    Section,
    TokenPair,
    User,
    delete,
    get,
    post,
)
from asgi_auth.features.oidc.answers import (
    BegunLink,
    LinkedAccount,
    LinkedAccountList,
    ProviderInfo,
    ProviderList,
    ProviderUrl,
)
from asgi_auth.features.oidc.connections import Connection, OAuthConnection, OpenIDConnection
from asgi_auth.features.oidc.errors import (
    EmailNeededError,
    IdentityTakenError,
    InvalidLoginStateError,
    LinkNeededError,
    ProviderRefusedError,
    RegistrationClosedError,
)
from asgi_auth.features.oidc.flows import Flow, Flows
from asgi_auth.features.oidc.profile import Profile
from asgi_auth.features.oidc.providers import OAuthProvider, OpenIDProvider, Provider
from asgi_auth.features.oidc.signing_in import KIND, SigningIn
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import LoginRedirect
from asgi_auth.model.event_types import Noticed
from asgi_auth.storage import Storage

#: A code of a provider: longer than other lines.
Code: TypeAlias = Annotated[str, msgspec.Meta(max_length=4096)]
LIMITS = "30/m/ip, 300/h/ip"
#: The name of a page as a target, with values: the pages know which there are.
PAGE = re.compile(r"[a-z_]{1,64}(\?[!-~]*)?")
ERRORS = (
    InvalidLoginStateError,
    ProviderRefusedError,
    LinkNeededError,
    IdentityTakenError,
    EmailNeededError,
    RegistrationClosedError,
    ProviderUnavailableError,
    NotFoundError,
)


class OIDC(Feature):
    """Logs users in by `providers`, such as `google(client_id, client_secret)`.

    An account at a provider is named by issuer and subject, and never by its address. With `sign_up`, the login of an
    unknown one makes an account. With `link="verified"`, it is linked to the account of its address when both sides
    have verified the address; with `link="never"`, only a logged-in user links. Needs `Settings.base_url` and the extra
    `oidc`.
    """

    requires: ClassVar[Mapping[str, str]] = {"joserfc": "oidc", "httpx2": "oidc"}
    mails: ClassVar[tuple[str, ...]] = ("identity_linked", "identity_unlinked")
    notices: ClassVar[Mapping[Noticed, str]] = {
        (events.IDENTITY_LINK, "success"): "identity_linked",
        (events.IDENTITY_UNLINK, "success"): "identity_unlinked",
    }
    room: ClassVar[Path | None] = Path(__file__).parent
    sections: ClassVar[Sequence[Section]] = (
        Section(name="providers", endpoint="providers", page="login", loads=True),
        Section(name="identities", endpoint="identities", order=36, loads=True),
    )

    forms: ClassVar[Sequence[Form]] = (
        Form(endpoint="oidc_link", page="account", shows=True),
        Form(endpoint="unlink", page="account", after="account", said="unlinked"),
    )

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        sign_up: bool = True,
        link: str = "verified",
        outgoing: Outgoing | None = None,
    ) -> None:
        """Take providers: `OpenIDProvider` or `OAuthProvider`. `outgoing` makes the requests to them.

        Raises ValueError; `attach` raises TypeError for providers of other classes.
        """
        names = [provider.name for provider in providers]
        if not names or len(set(names)) != len(names):
            raise ValueError("OIDC needs providers, each with a name of its own")
        if link not in {"verified", "never"}:
            raise ValueError('link is "verified" or "never"')
        self._providers = {provider.name: provider for provider in providers}
        self._sign_up = sign_up
        self._links = link == "verified"
        self._outgoing = outgoing

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`. Raises ValueError without `base_url`, and for a provider that no request may go to."""
        super().attach(auth)
        if auth.settings.base_url is None:
            raise ValueError("OIDC needs Settings.base_url: providers send browsers back to it")
        self._requests = self._outgoing or Outgoing(development=auth.settings.development)
        self._flows = Flows(auth.keys, auth.storage, auth.now)
        self._signing_in = SigningIn(auth, sign_up=self._sign_up, link=self._links)
        self._connections = {name: self._connect(provider) for name, provider in self._providers.items()}

    def _connect(self, provider: Provider) -> Connection:
        auth = self.auth
        if isinstance(provider, OpenIDProvider):
            self._requests.check(provider.metadata_url)
            return OpenIDConnection(provider, self._requests, auth.now, auth.settings.leeway)
        if not isinstance(provider, OAuthProvider):
            raise TypeError("a provider is an OpenIDProvider or an OAuthProvider")
        for url in (provider.authorize_url, provider.token_url, provider.user_url, provider.emails_url):
            _ = url and self._requests.check(url)
        return OAuthConnection(provider, self._requests, auth.now)

    @get("/oidc/providers")
    async def providers(self) -> ProviderList:
        """List the providers that users can log in with."""
        return ProviderList(providers=self._shown())

    @get("/oidc/{provider}/login", navigates=True, limits=LIMITS, errors=(ProviderUnavailableError, NotFoundError))
    async def oidc_login(self, *, provider: Line, next: Line = "") -> Redirect:  # noqa: A002 (a field of the API)
        """Send a browser to a provider; after the login there, it goes on at `next`."""
        connection = self._connection(provider)
        if next and not self.auth.page_urls.allows(next) and PAGE.fullmatch(next) is None:
            raise BadRequestError("The target of the redirect is not allowed.")
        flow = self._flows.begin(provider, next)
        url = await connection.authorization(flow, self._redirect_uri(provider))
        return Redirect(url, (flow.set_cookie(),), elsewhere=True)

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
    ) -> LoginRedirect | Requested:
        """Finish a login at a provider, or a link to an account there; the provider sends the browser here."""
        connection = self._connection(provider)
        flow = await self._flows.finish(provider, state, client.cookies)
        try:
            if error or not code:
                raise ProviderRefusedError(f"{provider}: the login ended with {error[:64]!r}")
            await connection.check_issuer(iss)
            profile = await connection.profile(flow, code, self._redirect_uri(provider))
            entered = await self._entered(flow, self._providers[provider], profile, identity, client)
        except AuthError as refusal:
            refusal.next = flow.begun.next
            raise
        if isinstance(entered, Requested):
            return entered
        target = flow.begun.next if self.auth.page_urls.allows(flow.begun.next) else "/"
        return LoginRedirect(target, (flow.forget_cookie(),), tokens=entered, next=flow.begun.next)

    @post("/oidc/{provider}/callback", navigates=True, limits=LIMITS, errors=(NotFoundError,))
    async def oidc_form_callback(
        self, *, provider: Line, code: Code = "", state: Line = "", iss: Line | None = None, error: Line = ""
    ) -> Redirect:
        """Take the answer of a provider that sends a form, and go on with GET, where the cookie of the browser is."""
        self._connection(provider)
        sent = {"code": code, "state": state, "iss": iss or "", "error": error}
        query = urlencode({name: text for name, text in sent.items() if text})
        return Redirect(f"{self.auth.page_urls.below_mount(self._callback(provider))}?{query}")

    @post(
        "/oidc/{provider}/link",
        fresh=True,
        second_factor=True,
        limits=LIMITS,
        errors=(NotFoundError, EmailNotVerifiedError, ProviderUnavailableError),
    )
    async def oidc_link(self, *, provider: Line, identity: Identity) -> ProviderUrl:
        """Begin to link an account at a provider to yours: send the browser to the `url`."""
        connection = self._connection(provider)
        if self.auth.get(RegistrationService) is not None and not (await identity.load()).email_verified:
            # Else the owner of the address, who takes the account over, would find a login of a stranger.
            raise EmailNotVerifiedError
        flow = self._flows.begin(provider, "account", identity.session_id)
        url = await connection.authorization(flow, self._redirect_uri(provider))
        return BegunLink(url=url, cookie=flow.set_cookie())

    async def _entered(
        self,
        flow: Flow,
        provider: Provider,
        profile: Profile,
        identity: Identity | None,
        client: Client,
    ) -> TokenPair | Requested | None:
        """Log in, or link: only in the very session that has begun it (CVE-2015-9284)."""
        if not flow.begun.session:
            return await self._signing_in.enter(provider, profile, client)
        if identity is None or identity.session_id != flow.begun.session or identity.actor is not None:
            raise InvalidLoginStateError
        await self._signing_in.link(provider, profile, identity, client)
        return None

    @get("/identities")
    async def identities(self, *, identity: Identity) -> LinkedAccountList:
        """List your linked accounts at providers."""
        found = await self.auth.storage.credentials(identity.id, KIND)
        return LinkedAccountList(identities=[LinkedAccount.of(each) for each in found], providers=self._shown())

    @delete(
        "/identities/{id}",
        status=204,
        fresh=True,
        second_factor=True,
        event=events.IDENTITY_UNLINK,
        errors=(NotFoundError, LastWayInError),
    )
    async def unlink(self, *, id: Line, identity: Identity, client: Client = Client()) -> None:  # noqa: A002
        """Unlink an account at a provider: it no longer logs in. The last way to log in stays."""
        async with self.auth.storage.transaction() as storage:
            known = {each.id: each for each in await storage.credentials(identity.id, KIND)}
            if id not in known or await storage.delete_credential(identity.id, id) is None:
                raise NotFoundError
            await self.auth.ways_in.keep_one(storage, identity.id, int(self.auth.now()))
        data = {"provider": known[id].data.get("provider", "")}
        await self.auth.emit(events.IDENTITY_UNLINK, user_id=identity.id, client=client, data=data)

    async def ways_in(self, storage: Storage, user: User) -> Collection[str]:
        """Name the providers of a user that are still configured."""
        credentials = await storage.credentials(user.id, KIND)
        names = {str(each.data.get("provider", "")) for each in credentials}
        return sorted(names & self._providers.keys())

    async def close(self) -> None:
        """Close the connections to providers."""
        await self._requests.close()

    def _connection(self, provider: str) -> Connection:
        found = self._connections.get(provider)
        if found is None:
            raise NotFoundError
        return found

    def _shown(self) -> list[ProviderInfo]:
        return [ProviderInfo(name=each.name, title=each.shown) for each in self._providers.values()]

    def _callback(self, provider: str) -> str:
        return f"/oidc/{provider}/callback"

    def _redirect_uri(self, provider: str) -> str:
        """Return the URL that the provider sends the browser back to: one for each provider (RFC 9700, 4.4.2)."""
        path = self.auth.page_urls.below_mount(self._callback(provider))
        return f"{(self.auth.settings.base_url or '').rstrip('/')}{path}"
