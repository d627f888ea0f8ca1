"""The export of all users, in the format of an import."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from asgi_auth.auth import Auth
from asgi_auth.crypto.vault import place_of
from asgi_auth.model.records import Credential, User

PAGE = 500


async def export_users(auth: Auth, *, secrets: bool = False) -> AsyncIterator[bytes]:
    """Yield all users as lines of JSON, in the order of their creation, page by page.

    With `secrets`, each line has the credentials of its user: password hashes, keys, and the keys of second factors in
    plain text, so that another installation can encrypt them with its own key. Keep such a file as safe as the
    database. Raises StorageUnavailableError.
    """
    await auth.start()
    last: User | None = None
    while page := await auth.storage.users(after=last, limit=PAGE):
        for user in page:
            record = msgspec.structs.asdict(user)
            del record["email_canonical"]
            if secrets:
                found = await auth.storage.credentials(user.id)
                record["credentials"] = [
                    _credential(auth, each) for each in found if not (each.is_claim or each.is_kept)
                ]
            yield msgspec.json.encode(record) + b"\n"
        last = page[-1]


def _credential(auth: Auth, credential: Credential) -> dict[str, Any]:
    record = msgspec.structs.asdict(credential)
    del record["user_id"]
    if record["used_at"] is None:
        del record["used_at"]
    try:
        opened = auth.vault.open(credential.secret, place_of(credential)) if credential.secret else None
    except (ValueError, ImportError):
        # Not encrypted, as most secrets are digests.
        opened = None
    if opened is not None:
        del record["secret"]
        record["sealed"] = base64.b64encode(opened).decode()
    return record
