"""Email addresses: validation, and the canonical form by which they are compared (ASVS 1.1.1)."""

import re
import unicodedata
from dataclasses import dataclass

from asgi_auth._typed_text import without_margins
from asgi_auth.errors import ValidationError
from asgi_auth.validation.reasons import Reason

#: Fast path: most addresses are plain ASCII. Lowercase is their canonical form, without full validation.
PLAIN = re.compile(
    r"(?=[^@]{1,64}@)(?=.{1,254}\Z)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@[A-Za-z0-9]{1,63}(?:[.-][A-Za-z0-9]{1,63})*\.[A-Za-z]{2,63}"
)


#: Domains of private networks that the validator reserves, each with a name of the same length that it accepts.
STAND_INS = {"local": "locax", "arpa": "arpx"}
PRIVATE = re.compile(r"(?<=\.)local\Z|(?<=[.@]home\.)arpa\Z", re.IGNORECASE)
IDEOGRAPHIC_STOP = "\u3002"
#: The longest address, in characters (RFC 5321, section 4.5.3.1.3, less the angle brackets).
MAX_LENGTH = 254


@dataclass(frozen=True)
class Address:
    """An email address: `display` as typed, for display and mail, and the unique `canonical` form for comparison."""

    display: str
    canonical: str


def parse_email(text: str, field: str = "email", *, public: bool = False) -> Address:
    """Validate an address, and derive the canonical form: NFKC in lower case (RFC 8265, 3.3), with an IDNA domain.

    White space and invisible marks around it are removed. There is no DNS query. `public` refuses what no public mail
    server delivers to: the domains `.local` and `home.arpa`, and quoted local parts. Raises ValidationError for
    `field`.
    """
    if len(text) > MAX_LENGTH:
        # Before the normalization, whose time grows with the square of the length (CWE-407).
        raise ValidationError({field: [Reason("too_long", count=MAX_LENGTH)]})
    from email_validator import EmailNotValidError  # noqa: PLC0415 (30 ms, which most processes can save)

    try:
        local, domain, ascii_domain = _parts(unicodedata.normalize("NFKC", without_margins(text)), public=public)
        lower = unicodedata.normalize("NFKC", local.lower())
        # Lower case can change and lengthen the local part, so the result is validated as well.
        canonical, _, _ = _parts(f"{lower}@{ascii_domain}", public=public)
    except EmailNotValidError as error:
        raise ValidationError({field: [Reason("email", str(error))]}) from None
    return Address(f"{local}@{domain}", f"{canonical}@{ascii_domain}")


def _parts(address: str, *, public: bool) -> tuple[str, str, str]:
    """Return the local part, the domain, and the domain in ASCII. Raises EmailNotValidError."""
    from email_validator import validate_email  # noqa: PLC0415

    local, at, domain = address.rpartition("@")
    # IDNA takes the ideographic full stop for a dot (UTS #46, section 4).
    address = f"{local}{at}{domain.replace(IDEOGRAPHIC_STOP, '.')}"
    reserved = None if public else PRIVATE.search(address)
    if reserved is not None:
        address = address[: reserved.start()] + STAND_INS[reserved[0].lower()]
    # `strict` limits the local part to 64 octets; `test_environment` allows the domain `.test`.
    valid = validate_email(
        address, check_deliverability=False, test_environment=True, strict=True, allow_quoted_local=not public
    )
    domain, ascii_domain = valid.domain, valid.ascii_domain.lower()
    if reserved is not None:
        name = reserved[0].lower()
        domain, ascii_domain = domain[: -len(name)] + name, ascii_domain[: -len(name)] + name
    return valid.local_part, domain, ascii_domain


def canonical_or_none(text: str) -> str | None:
    """Return the canonical form for a look-up, or None when the text cannot be the address of an account.

    The fast path accepts some invalid addresses. This is harmless: no account has such an address.
    """
    if len(text) > MAX_LENGTH:
        return None
    text = without_margins(text)
    if PLAIN.fullmatch(text) is not None:
        return text.lower()
    try:
        return parse_email(text).canonical
    except ValidationError:
        return None
