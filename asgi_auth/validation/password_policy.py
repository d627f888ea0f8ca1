"""Which passwords are good enough (NIST SP 800-63B-4, 3.1.1.2; ASVS 6.2)."""

import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

import msgspec

from asgi_auth.errors import PasswordPolicyError
from asgi_auth.validation.reasons import Reason

SHORTEST_WORD = 4


class PasswordPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a new password must meet. Nothing is trimmed, cut or normalised; too long is refused.

    `min_length` counts code points, `max_bytes` UTF-8 bytes. `context` are words that must not be the password:
    the name of the service, say; the user's address is always among them. The four `require_` rules are for those who
    must have them; NIST and ASVS advise against.
    """

    min_length: int = 8
    max_bytes: int = 1024
    refuse_common: bool = True
    context: tuple[str, ...] = ()
    require_upper: bool = False
    require_lower: bool = False
    require_digit: bool = False
    require_special: bool = False

    def __post_init__(self) -> None:
        """Refuse a policy that is weaker than ASVS 6.2.1 and 6.2.9 allow."""
        if self.min_length < 8:
            raise ValueError("a password has 8 characters at least (ASVS 6.2.1)")
        if self.max_bytes < 64 or self.max_bytes > 4096 or self.min_length > 64:
            raise ValueError("max_bytes is 64 to 4096, min_length 64 at most (ASVS 6.2.9)")

    @classmethod
    def nist(cls, *, context: tuple[str, ...] = ()) -> "PasswordPolicy":
        """15 characters and no other rule: NIST SP 800-63B-4 for passwords that are the only factor."""
        return cls(min_length=15, context=context)

    def check(self, password: str, *, field: str = "password", user_words: Iterable[str] = ()) -> None:
        """Raise PasswordPolicyError with all reasons at once."""
        reasons = [*self._length(password), *self._composition(password), *self._guessable(password, user_words)]
        if reasons:
            raise PasswordPolicyError({field: reasons})

    def _length(self, password: str) -> Iterable[Reason]:
        if len(password) < self.min_length:
            yield Reason("too_short", count=self.min_length)
        if len(password.encode()) > self.max_bytes:
            yield Reason("too_many_bytes", count=self.max_bytes)

    def _composition(self, password: str) -> Iterable[Reason]:
        if self.require_upper and not any(letter.isupper() for letter in password):
            yield Reason("upper")
        if self.require_lower and not any(letter.islower() for letter in password):
            yield Reason("lower")
        if self.require_digit and not any(letter.isdigit() for letter in password):
            yield Reason("digit")
        if self.require_special and all(letter.isalnum() for letter in password):
            yield Reason("special")

    def _guessable(self, password: str, user_words: Iterable[str]) -> Iterable[Reason]:
        folded = password.casefold()
        words = {word.casefold() for word in (*self.context, *user_words) if len(word) >= SHORTEST_WORD}
        if folded in words or _repeats(folded) in words:
            yield Reason("context")
        if self.refuse_common and is_common(folded):
            yield Reason("common")


def is_common(password: str) -> bool:
    """Tell whether a password, in lower case, is one of the 30,000 commonest, two of them, or a row of signs."""
    password = unicodedata.normalize("NFKC", password)
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    plain = password.isascii() and len(password) >= SHORTEST_WORD
    if plain and (len(_repeats(password)) < SHORTEST_WORD or steps in ({1}, {-1})):
        return True
    common = common_passwords()
    if password in common or _repeats(password) in common:
        return True
    cuts = range(SHORTEST_WORD, len(password) - SHORTEST_WORD + 1)
    return len(password) <= 64 and any(password[:cut] in common and password[cut:] in common for cut in cuts)


@cache
def common_passwords() -> frozenset[str]:
    """Load the list of zxcvbn: 30,000 passwords from leaks, 11,611 of them with 8 characters or more."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 (1 MB of text, wanted at the first registration)

    return frozenset(FREQUENCY_LISTS["passwords"])


def _repeats(text: str) -> str:
    """Return the piece that a text repeats (`abab` gives `ab`), or the text itself."""
    size = (text + text).find(text, 1) if text else 0
    return text[:size] if size > 0 else text
