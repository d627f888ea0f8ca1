"""Email addresses: validation, and the canonical form by which they are compared (ASVS 1.1.1)."""

import re
import unicodedata
from dataclasses import dataclass

from asgi_auth.errors import ValidationError
from asgi_auth.validation.reasons import Reason

#: Fast path: most addresses are plain ASCII. Lowercase is their canonical form, without full validation.
PLAIN = re.compile(
    r"(?=[^@]{1,64}@)(?=.{1,254}\Z)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@[A-Za-z0-9]{1,63}(?:[.-][A-Za-z0-9]{1,63})*\.[A-Za-z]{2,63}"
)


#: The longest address, in characters (RFC 5321, section 4.5.3.1.3, less the angle brackets).
MAX_LENGTH = 254


@dataclass(frozen=True)
class Address:
    """An email address: `display` as typed, for display and mail, and the unique `canonical` form for comparison."""

    display: str
    canonical: str


def parse_email(text: str, field: str = "email") -> Address:
    """Normalize an address (NFKC), validate it, and derive the canonical form: case-folded, with an IDNA domain.

    There is no DNS query. Raises ValidationError for `field`.
    """
    if len(text) > MAX_LENGTH:
        # Before the normalization, whose time grows with the square of the length (CWE-407).
        raise ValidationError({field: [Reason("too_long", count=MAX_LENGTH)]})
    from email_validator import EmailNotValidError, ValidatedEmail, validate_email  # noqa: PLC0415 (30 ms, which most processes can save)

    def validated(address: str) -> ValidatedEmail:
        # `strict` limits the local part to 64 octets; `test_environment` allows the domain `.test`.
        return validate_email(address, check_deliverability=False, test_environment=True, strict=True)

    try:
        valid = validated(unicodedata.normalize("NFKC", text))
        folded = unicodedata.normalize("NFKC", valid.local_part.casefold())
        # Case folding can change and lengthen the local part, so the result is validated as well.
        validated(f"{folded}@{valid.ascii_domain}")
    except EmailNotValidError as error:
        raise ValidationError({field: [Reason("email", str(error))]}) from None
    return Address(valid.normalized, f"{folded}@{valid.ascii_domain.casefold()}")


def canonical_or_none(text: str) -> str | None:
    """Return the canonical form for a look-up, or None when the text cannot be the address of an account.

    The fast path accepts some invalid addresses. This is harmless: no account has such an address.
    """
    if len(text) > MAX_LENGTH:
        return None
    if PLAIN.fullmatch(text) is not None:
        return text.lower()
    try:
        return parse_email(text).canonical
    except ValidationError:
        return None
