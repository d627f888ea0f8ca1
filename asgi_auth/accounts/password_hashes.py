"""Password hashes that were made elsewhere: which of them an account can be given."""

from collections.abc import Mapping

from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.crypto.foreign_hashes import Flaw, UnusableHashError, as_phc

#: What is wrong with a hash.
SENTENCES: Mapping[Flaw, str] = {
    "unknown": "the hash has no format that is known; those of Argon2 begin with $argon2id$",
    "foreign": "the hash is one of another system: Passwords(import_hashes=True) takes it",
    "damaged": "the hash is damaged",
    "expensive": "the hash would take too long, or too much memory, at each login",
}


def checked_hash(hasher: PasswordHasher, hashed: str) -> str:
    """Return a password hash if logins can verify it. Raises ValueError, which never contains the hash."""
    try:
        hasher.check(hashed)
    except UnusableHashError as error:
        raise ValueError(SENTENCES[error.flaw]) from None
    return as_phc(hashed)
