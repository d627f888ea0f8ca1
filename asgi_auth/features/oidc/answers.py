"""The answers about providers and linked accounts."""

from collections.abc import Sequence

from asgi_auth.feature import Answer, Credential, Record, SetCookie


class ProviderInfo(Record, frozen=True, kw_only=True):
    """A provider that users can log in with."""

    name: str
    title: str


class ProviderList(Record, frozen=True, kw_only=True):
    """The providers, in the order of the configuration."""

    providers: list[ProviderInfo]


class LinkedAccount(Record, frozen=True, kw_only=True):
    """A linked account at a provider; `created_at` is in seconds since 1970.

    `reauthenticates`: whether it can prove a fresh login.
    """

    id: str
    provider: str
    email: str
    name: str
    created_at: int
    reauthenticates: bool

    @classmethod
    def of(cls, credential: Credential, *, reauthenticates: bool) -> "LinkedAccount":
        """Show a credential."""
        data = credential.data
        return cls(
            id=credential.id,
            provider=str(data.get("provider", "")),
            email=str(data.get("email", "")),
            name=str(data.get("name", "")),
            created_at=credential.created_at,
            reauthenticates=reauthenticates,
        )


class LinkedAccountList(Record, frozen=True, kw_only=True):
    """The linked accounts, oldest first, and the providers that can be linked."""

    identities: list[LinkedAccount]
    providers: list[ProviderInfo]


class ProviderUrl(Answer, frozen=True, kw_only=True):
    """The address at a provider where the browser goes on."""

    url: str


class BegunAtProvider(ProviderUrl, frozen=True, kw_only=True):
    """The same, with the cookies of the browser, which are not in the body."""

    cookies: tuple[SetCookie, ...]

    @property
    def http_cookies(self) -> Sequence[SetCookie]:
        """The cookie, and those that end older logins."""
        return self.cookies

    def body(self) -> ProviderUrl:
        """Return the address alone."""
        return ProviderUrl(url=self.url)
