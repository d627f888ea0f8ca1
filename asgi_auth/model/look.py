"""The look of a service, which its pages and its mails share."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Look:
    """Colors as `#rrggbb`, and the URL or the path of a logo; empty without one. `text` is readable on `accent`."""

    accent: str
    text: str
    logo: str = ""
