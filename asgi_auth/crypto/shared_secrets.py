"""Secrets that the configuration shares with other programs, compared in constant time."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence

from asgi_auth.crypto.keys import check_secret


class SharedSecrets:
    """The names of programs with their secrets, of which digests are kept. During a rotation a program has several."""

    def __init__(self, secrets: Mapping[str, str | Sequence[str]]) -> None:
        """Take the secrets by name. Raises ValueError for one that is short or can be guessed (ASVS 13.2.3)."""
        self._digests: dict[str, list[bytes]] = {}
        for name, given in secrets.items():
            found = [given] if isinstance(given, str) else list(given)
            if not name or not found:
                raise ValueError("a program has no name, or no secret")
            for secret in found:
                try:
                    check_secret(secret.encode())
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from error
            self._digests[name] = [_digest(secret) for secret in found]
        self._decoy = [_digest("")]

    def name_of(self, readings: Iterable[tuple[str, str]]) -> str | None:
        """Return the name of the program with one of these pairs of name and secret; None for a wrong one.

        An unknown name takes as long as a wrong secret.
        """
        found = None
        for name, secret in readings:
            shown = _digest(secret)
            matches = [hmac.compare_digest(shown, known) for known in self._digests.get(name, self._decoy)]
            if any(matches) and name in self._digests:
                found = name
        return found


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
