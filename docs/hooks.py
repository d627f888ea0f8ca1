"""MkDocs hook: includes and shows files of the repository, and leads links to files outside `docs/` to the repository.

Such links are relative in the sources, so that they work on GitHub, too.
"""

# ruff: noqa: INP001 (MkDocs loads this file by its path)
import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
#: The Markdown of each page, by its path, as language models read it.
TEXTS: dict[str, str] = {}
INCLUDE = re.compile(r"^<!-- include: (\S+) -->$", re.MULTILINE)
SHOW = re.compile(r"^<!-- show: (\S+) (\w+) -->$", re.MULTILINE)
LINK = re.compile(r"(\]\()(?![a-z]+:|#|/)([^)#\s]+)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Include files, then rewrite the links that leave `docs/`. Links of an included file are relative to the root."""
    folder = posixpath.dirname(page.file.src_uri)
    repository = f"{config['extra']['repository']}/blob/main"
    markdown = shown(rewritten(markdown, posixpath.join("docs", folder), folder, repository))
    text = INCLUDE.sub(lambda found: rewritten((ROOT / found[1]).read_text("utf-8"), "", folder, repository), markdown)
    TEXTS[page.file.src_uri] = text
    return text


def on_post_build(*, config: Any, **_: Any) -> None:
    """Write the Markdown of each page beside it, and `llms-full.txt` with all of them."""
    site = Path(config["site_dir"])
    for path, text in TEXTS.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text, "utf-8")
    (site / "llms-full.txt").write_text("\n\n".join(TEXTS.values()), "utf-8")


def shown(markdown: str) -> str:
    """Put files of the repository in the place of their marks, as fenced code of a language."""
    return SHOW.sub(lambda mark: f"```{mark[2]}\n{(ROOT / mark[1]).read_text('utf-8').rstrip()}\n```", markdown)


def rewritten(markdown: str, base: str, folder: str, repository: str) -> str:
    """Resolve links against `base`: to pages of the site from `folder`, to all other files in the repository."""

    def target(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(base, found[2]))
        if path.startswith("docs/"):
            return found[1] + posixpath.relpath(path.removeprefix("docs/"), folder or ".")
        return f"{found[1]}{repository}/{path}"

    return LINK.sub(target, markdown)
