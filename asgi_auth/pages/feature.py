"""Pages: server-rendered HTML for people, over the same endpoints that clients call."""

from collections.abc import Sequence

from asgi_auth.feature import Feature
from asgi_auth.pages.colors import parse_color
from asgi_auth.validation.origins import origin_of
from asgi_auth.validation.targets import is_allowed, is_local_path


class Pages(Feature):
    """HTML pages for all endpoints that have one, and an account page.

    `logo`, a path of this site or an https URL, replaces `Settings.name`; `accent` is the color of buttons and links;
    `css` is added to the stylesheet. `after_login` is the target of a login without `next=`: a path of this site, or
    `account`. `next_allowed` are the exact URLs of other sites that `next=` may name.
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
        """Take the settings. Raises ValueError for an invalid color, or for a target that is not allowed."""
        for url in next_allowed:
            if not _is_url(url, {"http", "https"}):
                raise ValueError(f"{url!r} is no http(s) URL")
        if after_login != "account" and not is_allowed(after_login, next_allowed):
            raise ValueError(f"after_login: {after_login!r} is neither a path of this site nor in next_allowed")
        if logo is not None and not is_local_path(logo) and not _is_url(logo, {"https"}):
            raise ValueError(f"logo: {logo!r} is neither a path of this site nor an https URL")
        self.logo = logo
        self.accent: str = parse_color(accent)
        self.css = css
        self.after_login = after_login
        self.next_allowed: tuple[str, ...] = tuple(next_allowed)
        #: The way back from the account page.
        self.home: str = "/" if after_login == "account" else after_login
        self.redirects_to: tuple[str, ...] = self.next_allowed

    def csp(self, *, fetches: bool) -> str:
        """Return the Content-Security-Policy of every page; with `fetches`, scripts may call this site."""
        images = ["'self'", *([origin_of(self.logo)] if self.logo and not is_local_path(self.logo) else [])]
        # Browsers hold the redirect behind a form to form-action as well.
        actions = ["'self'", *sorted({origin_of(url) for url in self.next_allowed})]
        calls = "connect-src 'self'; " if fetches else ""
        return (
            f"default-src 'none'; style-src 'self'; script-src 'self'; {calls}"
            f"img-src {' '.join(images)}; form-action {' '.join(actions)}; base-uri 'none'; frame-ancestors 'none'"
        )


def _is_url(url: str, schemes: set[str]) -> bool:
    """Tell whether a text is a URL with an origin that fits into a header."""
    try:
        origin = origin_of(url)
    except ValueError:
        return False
    return origin.partition(":")[0] in schemes
