"""The policy for new passwords (NIST SP 800-63B-4, section 3.1.1.2; ASVS 6.2)."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from asgi_auth._typed_text import has_few_marks
from asgi_auth.errors import PasswordPolicyError
from asgi_auth.validation.reasons import Reason

#: The length of the shortest words and pieces that a password is compared with, in characters.
MIN_WORD = 4


@dataclass(frozen=True, kw_only=True)
class PasswordPolicy:
    """The rules for a new password. Passwords are never trimmed or truncated, and are checked and hashed in NFC.

    `min_length` is in code points, `max_bytes` in UTF-8 bytes. `refuse_common` rejects the 30,000 most common
    passwords. `context` lists words that must not be the password, such as the name of the service; the email address
    of the user is always one of them. NIST and ASVS advise against the four `require_` rules: set one only where
    another regulation demands it. Raises ValueError for a policy that is weaker than ASVS allows.
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
        """Raise ValueError for a policy that is weaker than ASVS 6.2.1 and 6.2.9 allow."""
        if self.min_length < 8:
            raise ValueError("min_length must be at least 8 (ASVS 6.2.1)")
        if self.max_bytes < 64 or self.max_bytes > 4096 or self.min_length > 64:
            raise ValueError("max_bytes must be 64 to 4096, and min_length at most 64 (ASVS 6.2.9)")

    @classmethod
    def nist(cls, *, context: tuple[str, ...] = ()) -> "PasswordPolicy":
        """Return the policy of NIST SP 800-63B-4 for passwords as the only factor: at least 15 characters."""
        return cls(min_length=15, context=context)

    def check(self, password: str, *, field: str = "password", user_words: Iterable[str] = ()) -> None:
        """Raise PasswordPolicyError, with all reasons, when the password breaks the policy.

        `field` is the name of the field in the error. `user_words` are further words that must not be the password.
        """
        reasons = [*self._length(password), *self._composition(password), *self._guessable(password, user_words)]
        if reasons:
            raise PasswordPolicyError({field: reasons})

    def _length(self, password: str) -> Iterable[Reason]:
        if len(password) < self.min_length:
            yield Reason("too_short", count=self.min_length)
        if len(password.encode()) > self.max_bytes:
            yield Reason("too_many_bytes", count=self.max_bytes)

    def _composition(self, password: str) -> Iterable[Reason]:
        if self.require_upper and not any(char.isupper() for char in password):
            yield Reason("upper")
        if self.require_lower and not any(char.islower() for char in password):
            yield Reason("lower")
        if self.require_digit and not any(char.isdigit() for char in password):
            yield Reason("digit")
        if self.require_special and all(char.isalnum() for char in password):
            yield Reason("special")

    def _guessable(self, password: str, user_words: Iterable[str]) -> Iterable[Reason]:
        if len(password.encode()) > self.max_bytes or not has_few_marks(password):
            # No list has it, and its normalization would be slow (CWE-407).
            return
        folded = password.casefold()
        words = {word.casefold() for word in (*self.context, *user_words) if len(word) >= MIN_WORD}
        if folded in words or _repeated_piece(folded) in words:
            yield Reason("context")
        if self.refuse_common and is_common(folded):
            yield Reason("common")


def is_common(password: str) -> bool:
    """Return whether a lowercase password is common.

    These are common: each of the 30,000 most common passwords, its repetitions, two of them together, a repeated piece
    of up to 3 characters, and a sequence such as `abcdefgh` or `87654321`.
    """
    password = unicodedata.normalize("NFKC", password)
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    plain = password.isascii() and len(password) >= MIN_WORD
    if plain and (len(_repeated_piece(password)) < MIN_WORD or steps in ({1}, {-1})):
        return True
    common = common_passwords()
    if password in common or _repeated_piece(password) in common:
        return True
    cuts = range(MIN_WORD, len(password) - MIN_WORD + 1)
    return len(password) <= 64 and any(password[:cut] in common and password[cut:] in common for cut in cuts)


@cache
def common_passwords() -> frozenset[str]:
    """Load the list of zxcvbn: 30,000 leaked passwords, 11,611 of them with at least 8 characters."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 (1 MB of text, first needed at a registration)

    return frozenset(FREQUENCY_LISTS["passwords"])


def _repeated_piece(text: str) -> str:
    """Return the shortest piece whose repetition is the text (`ab` for `abab`), or the text itself."""
    size = (text + text).find(text, 1) if text else 0
    return text[:size] if size > 0 else text
