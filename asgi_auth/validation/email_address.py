"""Email addresses: the one place that says when two of them are the same (ASVS 1.1.1, OWASP canonical form)."""

import re
import unicodedata
from typing import NamedTuple

from asgi_auth.errors import ValidationError
from asgi_auth.validation.reasons import Reason

#: Nearly all addresses: their canonical form is themselves in lower case, and to know that costs no validation.
PLAIN = re.compile(
    r"(?=[^@]{1,64}@)(?=.{1,254}\Z)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@[A-Za-z0-9]{1,63}(?:[.-][A-Za-z0-9]{1,63})*\.[A-Za-z]{2,63}"
)


class Address(NamedTuple):
    """An address as typed, for display and mail, and its canonical form, which is compared and unique."""

    display: str
    canonical: str


def parse_email(text: str, field: str = "email") -> Address:
    """Normalise (NFKC), then validate, then fold: case of both parts, and the domain to IDNA.

    Whether the domain exists is not looked up. Raises ValidationError for `field`.
    """
    from email_validator import EmailNotValidError, ValidatedEmail, validate_email  # noqa: PLC0415 (costs 30 ms, and not every process needs it)

    def validated(address: str) -> ValidatedEmail:
        # `strict` holds the local part to its 64 octets; .test is for tests, and those run here as well.
        return validate_email(address, check_deliverability=False, test_environment=True, strict=True)

    try:
        valid = validated(unicodedata.normalize("NFKC", text))
        folded = unicodedata.normalize("NFKC", valid.local_part.casefold())
        # Folding can lengthen a text or make it another: what it made must be valid as well.
        validated(f"{folded}@{valid.ascii_domain}")
    except EmailNotValidError as error:
        raise ValidationError({field: [Reason("email", str(error))]}) from None
    return Address(valid.normalized, f"{folded}@{valid.ascii_domain.casefold()}")


def canonical_or_none(text: str) -> str | None:
    """Give the canonical form for a look-up; None for what can't be the address of any account.

    A plain address that isn't valid has one, too: no account is found by it.
    """
    if PLAIN.fullmatch(text) is not None:
        return text.lower()
    try:
        return parse_email(text).canonical
    except ValidationError:
        return None
