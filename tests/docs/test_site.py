"""The site builds without a warning, all its links resolve, and it loads nothing from other sites."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from tests.docs.files import DOCS, FILES, PAGES, ROOT, name_of

#: The attributes with URLs that a browser fetches without a click, by tag.
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
SITE = "https://asgi-auth.github.io/asgi_auth/"


class Page(HTMLParser):
    """The ids of a page, its links, and the URLs that a browser fetches for it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        address = given.get(LOADED.get(tag, ""))
        if address is not None and given.get("rel") not in {"canonical", "next", "prev", "edit"}:
            self.loaded.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder


@cache
def parsed(file: Path) -> Page:
    return Page(file)


def pages_of(site: Path) -> Iterator[tuple[Path, Page]]:
    """Yield all pages except the 404 page, whose links depend on the requested address."""
    for file in sorted(site.rglob("*.html")):
        if file.name != "404.html":
            yield file, parsed(file)


def target(site: Path, file: Path, link: str) -> Path | None:
    """Return the file behind a link; None for other sites."""
    here = SITE + file.relative_to(site).as_posix().removesuffix("index.html")
    address = urljoin(here, link)
    if not address.startswith(SITE):
        return None
    path = site / unquote(urlsplit(address).path).removeprefix(urlsplit(SITE).path)
    return path / "index.html" if path.is_dir() else path


def test_every_page_is_built(site: Path) -> None:
    built = {file.relative_to(site).as_posix() for file, _ in pages_of(site)}
    wanted = {
        file.relative_to(DOCS).with_suffix("").as_posix().removesuffix("index").rstrip("/") + "/index.html"
        for file in PAGES
    }

    assert {path.lstrip("/") for path in wanted} <= built


def test_every_link_within_the_site_leads_to_a_place_that_is_there(site: Path) -> None:
    broken = [
        (file.relative_to(site).as_posix(), link)
        for file, page in pages_of(site)
        for link in page.links
        if not leads_somewhere(site, file, link)
    ]

    assert broken == []


def leads_somewhere(site: Path, file: Path, link: str) -> bool:
    """Tell whether a link leads to another site, or to an existing file and id."""
    found = target(site, file, link)
    if found is None:
        return urlsplit(link).scheme in {"https", "http", "mailto"}
    anchor = unquote(urlsplit(link).fragment)
    return found.is_file() and (not anchor or found.suffix != ".html" or anchor in parsed(found).ids)


def test_every_page_is_there_as_markdown_for_language_models(site: Path) -> None:
    listed = re.findall(r"^- \[.+?\]\((.+?)\)", (site / "llms.txt").read_text("utf-8"), re.MULTILINE)
    whole = (site / "llms-full.txt").read_text("utf-8")

    assert {address.removeprefix(SITE) for address in listed} == {page.relative_to(DOCS).as_posix() for page in PAGES}
    for address in listed:
        text = (site / address.removeprefix(SITE)).read_text("utf-8")
        assert text in whole
        assert "<!-- show:" not in text
        assert "<!-- include:" not in text


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loaded = [(file, address) for file, page in pages_of(site) for address in page.loaded]

    missing = [
        (file.name, address)
        for file, address in loaded
        if not address.startswith("data:") and ((found := target(site, file, address)) is None or not found.is_file())
    ]

    assert loaded
    assert missing == []
    for file, _ in pages_of(site):
        # For these elements the theme's script fetches Mermaid from a CDN, and stars from an API.
        assert re.findall(r'class="mermaid"|data-md-component="source"', file.read_text("utf-8")) == []
    for style in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"']*", style.read_text("utf-8")) == []
    for picture in site.rglob("*.svg"):
        assert re.findall(r"(?:href|src)=[\"']https?:", picture.read_text("utf-8")) == []


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_links_to_files_of_the_repository_lead_to_files(file: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", re.sub(r"```.*?```", "", file.read_text("utf-8"), flags=re.DOTALL))
    blob = "https://github.com/asgi-auth/asgi_auth/blob/main/"

    pages = [page_at(link) for link in links if link.startswith(SITE)]
    relative = [file.parent / link for link in links if "://" not in link and not link.startswith("mailto:")]
    named = [ROOT / link.removeprefix(blob) for link in links if link.startswith(blob)]

    assert [path for path in relative + named + pages if not path.exists()] == []


def page_at(address: str) -> Path:
    """Return the Markdown file behind an address of the published site."""
    return DOCS / f"{address.removeprefix(SITE).strip('/') or 'index'}.md"
