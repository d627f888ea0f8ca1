"""Pages: server-rendered HTML for people, over the same endpoints that clients call."""

from collections.abc import Sequence

from asgi_auth.feature import Feature
from asgi_auth.model.look import Look
from asgi_auth.pages.colors import parse_color, text_on
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.origins import origin_of
from asgi_auth.validation.targets import is_allowed, is_local_path


class Pages(Feature):
    """HTML pages for all endpoints that have one, and an account page.

    `logo`, a path of this site or an https URL, replaces `Settings.name`, and `dark_logo` takes its place in the dark
    scheme; `favicon` is the icon of the tab; `accent` is the color of buttons and links. Mails have the accent, and the
    logo if they can: by a URL. `css` is added to the stylesheet, and `font_sources` are the origins of its fonts, or
    `self`. `after_login` is the target of a login without `next=`: a path of this site, or
    `account`. `next_allowed` are the exact URLs of other sites that `next=` may name.
    """

    shows_pages = True

    @checks_options
    def __init__(
        self,
        *,
        logo: str | None = None,
        dark_logo: str | None = None,
        favicon: str | None = None,
        accent: str = "#2b50d8",
        css: str = "",
        font_sources: Sequence[str] = (),
        after_login: str = "/",
        next_allowed: Sequence[str] = (),
    ) -> None:
        """Take the settings. Raises ValueError for an invalid color, or for a target that is not allowed."""
        for url in next_allowed:
            if not _is_url(url, {"http", "https"}):
                raise ValueError(f"{url!r} is no http(s) URL")
        if after_login != "account" and not is_allowed(after_login, next_allowed):
            raise ValueError(f"after_login: {after_login!r} is neither a path of this site nor in next_allowed")
        for name, image in (("logo", logo), ("dark_logo", dark_logo), ("favicon", favicon)):
            if image is not None and not is_local_path(image) and not _is_url(image, {"https"}):
                raise ValueError(f"{name}: {image!r} is neither a path of this site nor an https URL")
        if dark_logo is not None and logo is None:
            raise ValueError("dark_logo needs a logo for the light scheme")
        self.logo = logo
        self.dark_logo = dark_logo
        self.favicon = favicon
        self.look: Look | None = Look(accent=parse_color(accent), text=text_on(parse_color(accent)), logo=logo or "")
        self._fonts = [_font_source(source) for source in font_sources]
        self.accent: str = parse_color(accent)
        self.css = css
        self.after_login = after_login
        self.next_allowed: tuple[str, ...] = tuple(next_allowed)
        #: The way back from the account page.
        self.home: str = "/" if after_login == "account" else after_login
        self.redirects_to: tuple[str, ...] = self.next_allowed

    def csp(self, *, fetches: bool) -> str:
        """Return the Content-Security-Policy of every page; with `fetches`, scripts may call this site."""
        named = (self.logo, self.dark_logo, self.favicon)
        elsewhere = {origin_of(image) for image in named if image and not is_local_path(image)}
        images = ["'self'", *sorted(elsewhere)]
        fonts = f"font-src {' '.join(self._fonts)}; " if self._fonts else ""
        # Browsers hold the redirect behind a form to form-action as well.
        actions = ["'self'", *sorted({origin_of(url) for url in self.next_allowed})]
        calls = "connect-src 'self'; " if fetches else ""
        return (
            f"default-src 'none'; style-src 'self'; script-src 'self'; {calls}{fonts}"
            f"img-src {' '.join(images)}; form-action {' '.join(actions)}; base-uri 'none'; frame-ancestors 'none'"
        )


def _font_source(source: str) -> str:
    """Return the source of fonts as the policy has it. Raises ValueError for one that is no https origin, or `self`."""
    if source == "self":
        return "'self'"
    if not _is_url(source, {"https"}) or origin_of(source) != source:
        raise ValueError(f"font_sources: {source!r} is neither an https origin of this URL alone nor 'self'")
    return source


def _is_url(url: str, schemes: set[str]) -> bool:
    """Tell whether a text is a URL with an origin that fits into a header."""
    try:
        origin = origin_of(url)
    except ValueError:
        return False
    return origin.partition(":")[0] in schemes
