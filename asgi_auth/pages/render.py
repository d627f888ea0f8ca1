"""Rendering: Jinja2 with autoescape, the host's templates first, and the headers of a page."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.responses import Response

from asgi_auth.pages.colors import readable, text_on
from asgi_auth.pages.feature import Pages
from asgi_auth.process.fork import renew_after_fork
from asgi_auth.settings import Settings
from asgi_auth.web.responses import HEADERS, WholeResponse

HERE = Path(__file__).parent
LIGHT, DARK = "#ffffff", "#171a21"


class Renderer:
    """Makes the responses for browsers."""

    def __init__(self, pages: Pages, settings: Settings) -> None:
        """Read the static files. Raises ValueError when the host's folder of templates does not exist."""
        if settings.templates is not None and not Path(settings.templates).is_dir():
            raise ValueError(f"templates: there is no folder {settings.templates!r}")
        self._templates = settings.templates
        self._environment = _environment(self._templates)
        renew_after_fork(self)
        self._csp = pages.csp
        self.assets: dict[str, tuple[str, str]] = {
            "/pages.css": (f"{_colors(pages.accent)}{_read('pages.css')}{pages.css}", "text/css"),
            "/pages.js": (_read("pages.js"), "text/javascript"),
        }
        #: Hashes of the files: changed files get new URLs.
        self.versions: dict[str, str] = {
            path: hashlib.sha256(text.encode()).hexdigest()[:12] for path, (text, _) in self.assets.items()
        }

    def renew(self) -> None:
        """Load the templates again in a forked child: a thread of the parent may hold a lock of Jinja2."""
        self._environment = _environment(self._templates)

    def page(self, names: Sequence[str], context: Mapping[str, Any], status: int) -> Response:
        """Render the first template that exists."""
        text = self._environment.select_template([f"{name}.html" for name in names]).render(context)
        return self._with_headers(WholeResponse(text, status, media_type="text/html"))

    def redirect(self, target: str) -> Response:
        """Redirect the browser, by GET (RFC 9110, 15.4.4)."""
        response = self._with_headers(WholeResponse(status_code=303))
        response.headers["location"] = target
        return response

    def asset(self, path: str) -> Response:
        """Return the stylesheet or the script; `private`, because the middleware may add a cookie to any response."""
        text, media_type = self.assets[path]
        response = WholeResponse(text, headers=HEADERS, media_type=media_type)
        response.headers["cache-control"] = "private, max-age=31536000, immutable"
        return response

    def _with_headers(self, response: Response) -> Response:
        response.headers.update(HEADERS)
        response.headers["content-security-policy"] = self._csp
        # With no-referrer forms have `Origin: null`. strict-origin hides the path, which may contain a token.
        response.headers["referrer-policy"] = "strict-origin"
        response.headers["cross-origin-opener-policy"] = "same-origin"
        return response


def _environment(folder: str | None) -> Environment:
    shipped = FileSystemLoader(HERE / "templates")
    host = [FileSystemLoader(folder)] if folder else []
    environment = Environment(
        loader=ChoiceLoader([*host, shipped, PrefixLoader({"asgi_auth": shipped})]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["utc"] = partial(datetime.fromtimestamp, tz=UTC)
    return environment


def _colors(accent: str) -> str:
    """Return CSS variables: the accent itself for buttons, and readable variants for links."""
    light, dark = readable(accent, LIGHT), readable(accent, DARK)
    return (
        f":root{{--accent:{accent};--on-accent:{text_on(accent)};--link:{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{--link:{dark}}}}}\n"
    )


def _read(name: str) -> str:
    return (HERE / "static" / name).read_text("utf-8")
