"""Step-up by a provider: a logged-in user logs in there anew, for actions that need a fresh login.

The ID token has to say when the user logged in at the provider (`auth_time`, OpenID Connect Core 1.0, section 2): after
the step-up was begun, and not before (ASVS 6.8.4). The account there has to be linked to this user already.
"""

from asgi_auth.errors import CrossSiteRequestError, NotFoundError, ProviderUnavailableError
from asgi_auth.feature import Client, Credential, Identity, Line, Redirect, TokenPair, get, post
from asgi_auth.features.oidc.answers import BegunAtProvider, ProviderUrl
from asgi_auth.features.oidc.base import LIMITS, OIDCBase
from asgi_auth.features.oidc.errors import OtherIdentityError, ProviderRefusedError
from asgi_auth.features.oidc.flows import Flow
from asgi_auth.features.oidc.profile import Profile
from asgi_auth.features.oidc.signing_in import KIND


class Renewing(OIDCBase):
    """The endpoints that begin a step-up by a provider."""

    def way_of(self, credential: Credential) -> str:
        """Name the provider of a linked account, if it says when its user logged in."""
        name = str(credential.data.get("provider", "")) if credential.kind == KIND else ""
        return name if name in self._connections and self._connections[name].tells_auth_time else ""

    @post("/reauthenticate/{provider}", limits=LIMITS, errors=(NotFoundError, ProviderUnavailableError))
    async def reauthenticate_by_provider(
        self,
        *,
        provider: Line,
        next: Line = "",  # noqa: A002 (a field of the API)
        identity: Identity,
        client: Client = Client(),
    ) -> ProviderUrl:
        """Begin to prove a linked account again, for actions that need a fresh login: send the browser to the `url`."""
        flow = await self._begun(provider, next, identity)
        return BegunAtProvider(url=await self._way_to(provider, flow), cookies=flow.set_cookies(client.cookies))

    @get(
        "/oidc/{provider}/reauthenticate",
        navigates=True,
        acting=False,
        limits=LIMITS,
        errors=(NotFoundError, ProviderUnavailableError, CrossSiteRequestError),
    )
    async def reauthenticate_at_provider(
        self,
        *,
        provider: Line,
        next: Line = "",  # noqa: A002 (a field of the API)
        identity: Identity,
        client: Client = Client(),
    ) -> Redirect:
        """Send the browser of a logged-in user to a provider, to prove a linked account again."""
        flow = await self._begun(provider, next, identity)
        return Redirect(await self._way_to(provider, flow), flow.set_cookies(client.cookies), elsewhere=True)

    async def _begun(self, provider: str, target: str, identity: Identity) -> Flow:
        """Begin a step-up in a session. Raises NotFoundError for a provider by which the user cannot."""
        self._check_target(target)
        linked = await self.auth.storage.credentials(identity.id, KIND)
        if provider not in {self.way_of(each) for each in linked}:
            raise NotFoundError("None of your linked accounts at this service can prove a login.")
        return self._flows.begin(provider, target, session=identity.session_id, renews=True)

    async def _renewed(self, flow: Flow, profile: Profile, identity: Identity, client: Client) -> TokenPair:
        """Renew the session of a user that has logged in at the provider. Nothing is linked."""
        oldest, newest = flow.begun_at - self.auth.settings.leeway, self.auth.now() + self.auth.settings.leeway
        if profile.auth_time is None or not oldest <= profile.auth_time <= newest:
            raise ProviderRefusedError("the provider does not say that the user has logged in anew")
        found = await self.auth.storage.find_credential(KIND, profile.identifier)
        if found is None or found[0].id != identity.id:
            raise OtherIdentityError
        return await self.auth.renew(identity, amr=("fed",), client=client, factor=found[1])
