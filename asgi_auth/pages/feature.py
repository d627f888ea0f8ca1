"""Pages: server-rendered HTML for people, over the same endpoints that clients call."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from asgi_auth.feature import Feature
from asgi_auth.pages.colours import check
from asgi_auth.pages.links import is_allowed, is_local_path
from asgi_auth.settings import origin_of


class Pages(Feature):
    """HTML pages for every endpoint that is switched on and has one, and an account page.

    Settings: `logo`, a path of this site or an https URL, stands in place of `Settings.name`; `accent` is the colour
    of buttons and links; `css` is added to the stylesheet. `after_login` is where a login leads without a `next=`: a
    path of this site, or `account`; `next_allowed` are URLs of other sites to which `next=` may lead, each exactly.
    """

    shows_pages = True

    def __init__(
        self,
        *,
        logo: str | None = None,
        accent: str = "#2b50d8",
        css: str = "",
        after_login: str = "/",
        next_allowed: Sequence[str] = (),
    ) -> None:
        """Take the settings. Raises ValueError for what isn't a colour, or leads where it mustn't."""
        for url in next_allowed:
            if not _is_url(url, {"http", "https"}):
                raise ValueError(f"{url!r} is no http(s) URL")
        if after_login != "account" and not is_allowed(after_login, next_allowed):
            raise ValueError(f"after_login: {after_login!r} is neither a path of this site nor in next_allowed")
        if logo is not None and not is_local_path(logo) and not _is_url(logo, {"https"}):
            raise ValueError(f"logo: {logo!r} is neither a path of this site nor an https URL")
        self.logo = logo
        self.accent: str = check(accent)
        self.css = css
        self.after_login = after_login
        self.next_allowed: tuple[str, ...] = tuple(next_allowed)

    @property
    def csp(self) -> str:
        """The Content-Security-Policy of every page."""
        images = ["'self'", *([origin_of(self.logo)] if self.logo and not is_local_path(self.logo) else [])]
        # Browsers hold the redirect behind a form to form-action as well.
        actions = ["'self'", *sorted({origin_of(url) for url in self.next_allowed})]
        return (
            "default-src 'none'; style-src 'self'; script-src 'self'; "
            f"img-src {' '.join(images)}; form-action {' '.join(actions)}; base-uri 'none'; frame-ancestors 'none'"
        )


def _is_url(url: str, schemes: set[str]) -> bool:
    """Whether it is a URL whose origin can stand in a header."""
    parts = urlsplit(url)
    return parts.scheme in schemes and re.fullmatch(r"[a-z0-9.:-]+", parts.hostname or "") is not None
