"""The documentation's files, and the fenced code in them."""

import re
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
FILES = [README, *PAGES]
FENCE = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


def fences(file: Path, language: str) -> list[str]:
    """The fenced code of one language, in order, without the indentation that its place in a list gives it."""
    found = FENCE.findall(file.read_text("utf-8"))
    return [dedent(code) for _, name, code in found if name == language]


def name_of(file: Path) -> str:
    """The path of a file, seen from the repository's root."""
    return file.relative_to(ROOT).as_posix()


def everything() -> str:
    """The text of the README and all pages."""
    return "\n".join(file.read_text("utf-8") for file in FILES)
