"""The answers of the endpoints of passkeys."""

from typing import Annotated, Any

import msgspec

from asgi_auth.feature import Answer, Record, TokenPair
from asgi_auth.model.records import NULL_IS_SENT, Credential


class PasskeyOptions(Record, frozen=True, kw_only=True):
    """What a browser needs for a ceremony, as `PublicKeyCredential.parseCreationOptionsFromJSON` takes it.

    Options of a use are for `parseRequestOptionsFromJSON`. They last five minutes, and are used once.
    """

    options: dict[str, Any]


class SignUpOptions(PasskeyOptions, frozen=True, kw_only=True):
    """What a browser needs to make the passkey of a new account; the call that follows sends `request` along."""

    request: str


class Passkey(Record, frozen=True, kw_only=True):
    """A passkey as its user sees it; times are seconds since 1970.

    `synced`: the authenticator keeps a copy elsewhere. `aaguid` names the kind of the authenticator, by its own word.
    """

    id: str
    name: str
    created_at: int
    used_at: Annotated[int | None, NULL_IS_SENT] = None
    synced: bool
    aaguid: str

    @classmethod
    def of(cls, credential: Credential) -> "Passkey":
        """Return the passkey of a credential."""
        data = credential.data
        return cls(
            id=credential.id,
            name=data["name"],
            created_at=credential.created_at,
            used_at=credential.used_at,
            synced=data["backed_up"],
            aaguid=data["aaguid"],
        )


class PasskeyList(Record, frozen=True, kw_only=True):
    """The passkeys, oldest first. `accepted` is for `PublicKeyCredential.signalAllAcceptedCredentials`."""

    passkeys: list[Passkey]
    accepted: dict[str, Any]


class AddedPasskey(Answer, frozen=True, kw_only=True):
    """A new passkey, and the tokens of the session, which counts as proven by it."""

    passkey: Passkey
    tokens: TokenPair

    def token_pair(self) -> TokenPair:
        """Return the tokens."""
        return self.tokens

    def without_tokens(self) -> "AddedPasskey":
        """Return the answer for cookie mode."""
        return msgspec.structs.replace(self, tokens=self.tokens.without_tokens())
