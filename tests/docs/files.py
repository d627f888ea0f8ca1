"""The documentation's files, and the fenced code in them."""

import re
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
FILES = [README, *PAGES]
#: The first line of a snippet that is a file of a project, which the page shows in several files.
OF_PROJECT = re.compile(r"# (mysite/\w+\.py)\n")
FENCE = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


def fences(file: Path, language: str) -> list[str]:
    """Return the fenced code of one language, in order, without indentation."""
    found = FENCE.findall(file.read_text("utf-8"))
    return [dedent(code) for _, name, code in found if name == language]


def name_of(file: Path) -> str:
    """Return the path of a file relative to the repository's root."""
    return file.relative_to(ROOT).as_posix()


def everything() -> str:
    """Return the text of the README and all pages."""
    return "\n".join(file.read_text("utf-8") for file in FILES)
