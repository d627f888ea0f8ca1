"""The answers about providers and linked accounts."""

from asgi_auth.feature import Credential, Record


class ProviderInfo(Record, frozen=True, kw_only=True):
    """A provider that users can log in with."""

    name: str
    title: str


class ProviderList(Record, frozen=True, kw_only=True):
    """The providers, in the order of the configuration."""

    providers: list[ProviderInfo]


class LinkedAccount(Record, frozen=True, kw_only=True):
    """A linked account at a provider; `created_at` is in seconds since 1970."""

    id: str
    provider: str
    email: str
    name: str
    created_at: int

    @classmethod
    def of(cls, credential: Credential) -> "LinkedAccount":
        """Show a credential."""
        data = credential.data
        return cls(
            id=credential.id,
            provider=str(data.get("provider", "")),
            email=str(data.get("email", "")),
            name=str(data.get("name", "")),
            created_at=credential.created_at,
        )


class LinkedAccountList(Record, frozen=True, kw_only=True):
    """The linked accounts, oldest first."""

    identities: list[LinkedAccount]
