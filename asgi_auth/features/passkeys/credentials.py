"""The credential of a passkey: how a new one is stored, and what a use of it changes."""

import re
from collections.abc import Mapping
from typing import Any

from asgi_auth.feature import Credential, new_id
from asgi_auth.features.passkeys.ceremonies import Created, Used
from asgi_auth.sessions.identity import MFA

KIND = "passkey"
SPACE = re.compile(r"\s+")


def credential_of(user_id: str, new: Created, name: str, now: float) -> Credential:
    """Return the credential of a new passkey."""
    return Credential(
        id=new_id(now),
        user_id=user_id,
        kind=KIND,
        identifier=new.identifier,
        secret=new.public_key,
        data={
            "name": name,
            "count": 0 if new.eligible else new.counter,
            "eligible": new.eligible,
            "backed_up": new.backed_up,
            "transports": list(new.transports),
            "aaguid": new.aaguid,
        },
        created_at=int(now),
        updated_at=int(now),
    )


def noted_in(data: Mapping[str, Any], use: Used) -> dict[str, Any]:
    """Return the data of a credential after a use. The counters of synced passkeys say nothing, and are not kept."""
    count = 0 if use.eligible else use.counter
    return {**data, "count": count, "eligible": use.eligible, "backed_up": use.backed_up}


def method_of(use: Used) -> str:
    """Return the authentication method (RFC 8176): a key in hardware, or one that is synced and so in software."""
    return _method(eligible=use.eligible)


def methods_of(credential: Credential) -> tuple[str, str]:
    """Return the authentication methods of a passkey that was made a moment ago, with a verified user."""
    return _method(eligible=credential.data["eligible"]), MFA


def plain_name(name: str) -> str:
    """Return the name of a passkey without line breaks and further spaces."""
    return SPACE.sub(" ", name).strip()


def _method(*, eligible: bool) -> str:
    return "swk" if eligible else "hwk"
