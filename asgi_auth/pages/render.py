"""Rendering: Jinja2 with autoescape, the host's templates first, and the headers of a page."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined, TemplateNotFound
from starlette.responses import Response

from asgi_auth.feature.base import BaseFeature
from asgi_auth.feature.page import Section
from asgi_auth.pages.colors import readable, text_on
from asgi_auth.pages.feature import Pages
from asgi_auth.pages.inputs import from_url
from asgi_auth.pages.line_breaks import breakable
from asgi_auth.pages.plan import Plan
from asgi_auth.process.fork import renew_after_fork
from asgi_auth.settings import Settings
from asgi_auth.validation.fields import Time
from asgi_auth.web.responses import HEADERS, WholeResponse

HERE = Path(__file__).parent
LIGHT, DARK = "#ffffff", "#171a21"


class Renderer:
    """Makes the responses for browsers."""

    def __init__(self, pages: Pages, settings: Settings, features: Sequence[BaseFeature], plan: Plan) -> None:
        """Read the files. Raises ValueError for a missing folder of the host, and for a section without a template."""
        if settings.templates is not None and not Path(settings.templates).is_dir():
            raise ValueError(f"templates: there is no folder {settings.templates!r}")
        self._folders: tuple[list[Path], list[Path]] = _folders(settings.templates, features)
        self._environment = _environment(*self._folders)
        self._check(plan.sections)
        renew_after_fork(self)
        self._csp = pages.csp(fetches=any(feature.scripts_call for feature in features))
        self.assets: dict[str, tuple[str, str]] = {
            "/pages.css": (f"{_colors(pages.accent)}{_styles()}{pages.css}", "text/css"),
            "/pages.js": (_script(HERE / "static" / "pages.js"), "text/javascript"),
            **{path: (_script(file), "text/javascript") for path, file in plan.scripts.items()},
        }
        #: Hashes of the files: changed files get new URLs.
        self.versions: dict[str, str] = {
            path: hashlib.sha256(text.encode()).hexdigest()[:12] for path, (text, _) in self.assets.items()
        }

    def renew(self) -> None:
        """Load the templates again in a forked child: a thread of the parent may hold a lock of Jinja2."""
        self._environment = _environment(*self._folders)

    def _check(self, sections: Sequence[Section]) -> None:
        """Raise ValueError for a section without a template: a template is compiled by its first use only."""
        loader = self._environment.loader
        for section in sections:
            try:
                _ = loader and loader.get_source(self._environment, template_of(section))
            except TemplateNotFound:
                raise ValueError(f"there is no template {template_of(section)}") from None

    def page(self, names: Sequence[str], context: Mapping[str, Any], status: int) -> Response:
        """Render the first template that exists."""
        text = self._environment.select_template([f"{name}.html" for name in names]).render(context)
        return self._with_headers(WholeResponse(text, status, media_type="text/html"))

    def redirect(self, target: str, *, elsewhere: bool = False) -> Response:
        """Redirect the browser, by GET (RFC 9110, 15.4.4).

        A target `elsewhere` is not told where the browser comes from (RFC 9700, 4.2.4).
        """
        response = self._with_headers(WholeResponse(status_code=303))
        response.headers["location"] = target
        if elsewhere:
            response.headers["referrer-policy"] = "no-referrer"
        return response

    def let_forms_lead(self, response: Response, source: str) -> None:
        """Let the forms of a page lead to a source, too."""
        response.headers["content-security-policy"] = self._csp.replace("form-action ", f"form-action {source} ", 1)

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


def template_of(section: Section) -> str:
    """Return the name of the template of a section."""
    return f"sections/{section.name}.html"


def _folders(host: str | None, features: Sequence[BaseFeature]) -> tuple[list[Path], list[Path]]:
    """Return the folder of the host, and those of the library and its features."""
    rooms = [room / "templates" for feature in features for room in feature.rooms()]
    return [Path(host)] if host else [], [HERE / "templates", *filter(Path.is_dir, rooms)]


def _environment(host: Sequence[Path], others: Sequence[Path]) -> Environment:
    included = FileSystemLoader(others)
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(host), included, PrefixLoader({"asgi_auth": included})]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = breakable
    environment.globals["utc"] = partial(datetime.fromtimestamp, tz=UTC)
    environment.globals["seconds"] = partial(from_url, kind=Time)
    return environment


def _colors(accent: str) -> str:
    """Return CSS variables: the accent itself for buttons, and readable variants for links."""
    light, dark = readable(accent, LIGHT), readable(accent, DARK)
    return (
        f":root{{--accent:{accent};--on-accent:{text_on(accent)};--link:{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{--link:{dark}}}}}\n"
    )


def _styles() -> str:
    """Return the stylesheet of the library without the spaces that mean nothing; its texts have no marks in them."""
    text = _compact((HERE / "static" / "pages.css").read_text("utf-8"))
    return re.sub(r":\s+", ":", re.sub(r"\s*([{};,>]| [+] )\s*", r"\1", text)).replace(";}", "}")


def _script(file: Path) -> str:
    """Return a script of a feature; that of a host as it is."""
    text = file.read_text("utf-8")
    return _compact(text) if file.is_relative_to(HERE.parent) else text


def _compact(text: str) -> str:
    """Return a file of the library without indentation and lines of comments."""
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))
