"""`docs/llms.txt`: the pages of the documentation with what they are about, for language models (llmstxt.org)."""

import re
from typing import Any

import yaml

from tests.docs.files import DOCS, ROOT

FILE = DOCS / "llms.txt"
SITE = re.compile(r"^site_url: (\S+)$", re.MULTILINE)
INTRODUCTION = """\
# asgi_auth

> {description}

Python 3.11 or later. `pip install asgi-auth`, with the extra `postgres` for PostgreSQL. One `Auth` holds the settings,
`AuthMiddleware(app, auth, mount="/auth")` serves the endpoints and sets `scope["user"]`. Start with the guide for
coding agents: it has the rules, and a whole app. [llms-full.txt]({site}llms-full.txt) has all pages in one file.
"""


def llms() -> str:
    """Return the text of the file, in the order of the navigation."""
    configuration = (ROOT / "mkdocs.yml").read_text("utf-8")
    (site,) = SITE.findall(configuration)
    (description,) = re.findall(r"^site_description: (.+)$", configuration, re.MULTILINE)
    navigation = yaml.safe_load(configuration[configuration.index("\nnav:") :])["nav"]
    sections = [INTRODUCTION.format(description=description, site=site)]
    for section in navigation:
        for title, pages in section.items():
            lines = [_line(site, *_entry(page)) for page in pages]
            sections.append(f"## {title}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(sections)


def _entry(page: Any) -> tuple[str, str]:
    """Return the title and the path of an entry of the navigation."""
    if isinstance(page, str):
        return "Home", page
    ((title, path),) = page.items()
    return str(title), str(path)


def _line(site: str, title: str, path: str) -> str:
    return f"- [{title}]({site}{path}){_about(path)}"


def _about(path: str) -> str:
    """Return the first sentence of a page: that of its first paragraph, without links."""
    text = (DOCS / path).read_text("utf-8")
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^(#|<!--|\||[-*\d]|:::|    ).*$", "", text, flags=re.MULTILINE)
    paragraphs = [part for part in re.split(r"\n\s*\n", text) if part.strip()]
    if not paragraphs:
        return ""
    plain = " ".join(re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", paragraphs[0]).split())
    return ": " + re.split(r"(?<=[.:])\s", plain)[0].rstrip(":.") + "."
