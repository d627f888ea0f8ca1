"""Login by other providers, such as Google or GitHub: OpenID Connect and OAuth 2."""

from collections.abc import Collection, Container, Mapping, Sequence
from typing import ClassVar

from asgi_auth.bounds.deadline import deadline
from asgi_auth.feature import Event, Form, Page, Section, User
from asgi_auth.features.oidc.errors import SIGN_UP
from asgi_auth.features.oidc.keeping import KIND as KEPT_KIND
from asgi_auth.features.oidc.keeping import ProviderToken
from asgi_auth.features.oidc.logging_in import LoggingIn
from asgi_auth.features.oidc.signing_in import KIND
from asgi_auth.model import event_types as events
from asgi_auth.model.event_types import Noticed
from asgi_auth.storage import Storage


class OIDC(LoggingIn):
    """Logs users in by `providers`, such as `google(client_id, client_secret)`.

    An account at a provider is named by issuer and subject, and never by its address. With `sign_up`, the login of an
    unknown one makes an account. With `link="verified"`, it is linked to the account of its address when both sides
    have verified the address; with `link="never"`, only a logged-in user links. Needs `Settings.base_url` and the extra
    `oidc`.

    With `keep_tokens`, the tokens of each login are kept, sealed by the vault, for `access_token`.
    """

    sealed_kinds: ClassVar[Collection[str]] = (KEPT_KIND,)
    observes: Container[str] | None = frozenset({events.ACCOUNT_CLOSE})
    mails: ClassVar[tuple[str, ...]] = ("identity_linked", "identity_unlinked")
    notices: ClassVar[Mapping[Noticed, str]] = {
        (events.IDENTITY_LINK, "success"): "identity_linked",
        (events.IDENTITY_UNLINK, "success"): "identity_unlinked",
    }
    pages: ClassVar[Sequence[Page]] = (
        Page(name="oidc_sign_up", endpoint="oidc_pending_sign_up", path="/oidc/sign-up", carries=SIGN_UP, loads=True),
    )
    sections: ClassVar[Sequence[Section]] = (
        Section(name="providers", endpoint="providers", page="login", loads=True),
        Section(name="providers_at_register", endpoint="providers", page="register", loads=True),
        Section(name="proofs", endpoint="identities", page="reauthenticate", loads=True),
        Section(name="identities", endpoint="identities", order=36, loads=True, group="ways"),
    )
    forms: ClassVar[Sequence[Form]] = (
        Form(endpoint="oidc_link", page="account", shows=True),
        Form(
            endpoint="oidc_sign_up",
            page="oidc_sign_up",
            waits="verify_email",
            leaves_out=(SIGN_UP,),
            filled=True,
        ),
        Form(endpoint="unlink", page="account", after="account", said="unlinked"),
    )

    async def access_token(self, user_id: str, provider: str) -> ProviderToken:
        """Return a valid access token of a user at a provider, by the name of the provider; refreshed if need be.

        Of many concurrent calls, in all processes, one refreshes. Raises NotFoundError where no token is kept, or the
        account of the user is not active; ProviderLoginNeededError where no token is valid, and none can be had without
        the user; and ProviderUnavailableError.
        """
        await self.auth.start()
        with deadline(self.auth.request_timeout):
            return await self._kept.access_token(user_id, provider)

    async def observe(self, event: Event) -> None:
        """Delete the kept tokens of an account that was closed."""
        if event.user_id is not None and event.outcome == "success":
            await self.auth.storage.delete_credentials(event.user_id, (KEPT_KIND,))

    async def ways_in(self, storage: Storage, user: User) -> Collection[str]:
        """Name the providers of a user that are still configured."""
        credentials = await storage.credentials(user.id, KIND)
        names = {str(each.data.get("provider", "")) for each in credentials}
        return sorted(names & self._providers.keys())
