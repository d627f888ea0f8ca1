"""The policy for new passwords (NIST SP 800-63B-4, section 3.1.1.2; ASVS 6.2)."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, pairwise, takewhile

from asgi_auth._typed_text import has_few_marks
from asgi_auth.errors import PasswordPolicyError
from asgi_auth.sources.kinds import check_kinds
from asgi_auth.validation.reasons import Reason

#: The length of the shortest words and pieces that a password is compared with, in characters.
MIN_WORD = 4
#: The longest ending and start of digits and signs that do not make a word a password, in characters.
MAX_ENDING, MAX_START = 5, 2
#: How many words of each list count as the commonest.
COMMONEST = 1000


@dataclass(frozen=True, kw_only=True)
class PasswordPolicy:
    """The rules for a new password. Passwords are never trimmed or truncated, and are checked and hashed in NFC.

    `min_length` is in code points, `max_bytes` in UTF-8 bytes. `refuse_common` rejects 94,000 leaked passwords, names
    and words, also in capitals and with common endings. `context` lists words that must not be the password, such as
    the name of the service; the email address of the user is always one of them. NIST and ASVS advise against the four
    `require_` rules: set one only where another regulation demands it. Raises ValueError for a policy that is weaker
    than ASVS allows.
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
        check_kinds(self)
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
        if not words.isdisjoint((_repeated_piece(folded), *_cores(folded))):
            yield Reason("context")
        if self.refuse_common and is_common(folded):
            yield Reason("common")


def is_common(password: str) -> bool:
    """Return whether a lowercase password is common.

    These are common: each of 94,000 leaked passwords, names and words, alone, backwards, repeated, and with up to 5
    digits and signs at its end or 2 at its start; two of the commonest together; a repeated piece of up to 4
    characters; and a sequence such as `abcdefgh` or `87654321`.
    """
    password = unicodedata.normalize("NFKC", password)
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    piece = _repeated_piece(password)
    plain = password.isascii() and len(password) >= MIN_WORD
    if plain and ((len(piece) <= MIN_WORD and piece != password) or steps in ({1}, {-1})):
        return True
    words, commonest = common_passwords(), commonest_words()
    if not words.isdisjoint((piece, password[::-1], *_cores(password))):
        return True
    cuts = range(MIN_WORD, len(password) - MIN_WORD + 1)
    return len(password) <= 64 and any(password[:cut] in commonest and password[cut:] in commonest for cut in cuts)


def _cores(password: str) -> Iterator[str]:
    """Yield the password without its last signs, such as `1`, `123` or `2024!`, and without its first ones."""
    size = len(password)
    endings = sum(1 for _ in takewhile(_is_sign, reversed(password[-MAX_ENDING:])))
    starts = sum(1 for _ in takewhile(_is_sign, password[:MAX_START]))
    for start in range(starts + 1):
        for end in range(size - endings, size + 1):
            if end - start >= MIN_WORD:
                yield password[start:end]


def _is_sign(char: str) -> bool:
    return not (char.isalpha() or char.isspace())


@cache
def common_passwords() -> frozenset[str]:
    """Load the lists of zxcvbn: 30,000 leaked passwords, and 64,000 names and words of Wikipedia, films and TV.

    Each text is in one list only, the one in which it is commonest: `jennifer` is a name there, and no password.
    """
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 (1 MB of text, first needed at a registration)

    return frozenset(chain.from_iterable(FREQUENCY_LISTS.values()))


@cache
def commonest_words() -> frozenset[str]:
    """Return all leaked passwords, and the first 1,000 of each other list: two of them make no password."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415

    first = (words if name == "passwords" else words[:COMMONEST] for name, words in FREQUENCY_LISTS.items())
    return frozenset(chain.from_iterable(first))


def _repeated_piece(text: str) -> str:
    """Return the shortest piece whose repetition is the text (`ab` for `abab`), or the text itself."""
    size = (text + text).find(text, 1) if text else 0
    return text[:size] if size > 0 else text
