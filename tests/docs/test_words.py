"""The words of the project: standard nouns in place of pronouns that a reader has to resolve."""

import re
from pathlib import Path

import pytest

from tests.docs.files import ROOT

SELF = Path(__file__)
FOLDERS = ["asgi_auth", "benchmarks", "docs", "examples", "tests"]
KINDS = {".md", ".py", ".ts", ".js", ".html", ".conf", ".cfg", ".ini", ".service", ".sql", ".yml", ".csv"}
#: "A user", "a client", "no one" or "another" say it instead. Texts for users (`texts/*.toml`) may have other words.
AVOIDED = re.compile(r"\b(?:somebody|anybody|everybody|nobody|whoever|whom|the own|own the)\b", re.IGNORECASE)
#: Data: a name in quotation marks, in an address or in a constant, and the user of the system.
DATA = re.compile(r"""["']nobody["']|nobody[@:{]|search=nobody|\bNOBODY\b|`nobody`|^USER nobody$""", re.MULTILINE)


def files() -> list[Path]:
    outer = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile")]
    inner = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in KINDS]
    return [path for path in (*outer, *inner) if path.is_file() and "node_modules" not in path.parts and path != SELF]


def avoided(text: str) -> list[str]:
    """Return the lines of a text that have such a word, outside of data."""
    lines = DATA.sub("", text).splitlines()
    return [line.strip() for line in lines if AVOIDED.search(line)]


def test_no_file_has_words_that_the_project_avoids() -> None:
    read = {path.relative_to(ROOT).as_posix(): avoided(path.read_text("utf-8")) for path in files()}

    assert {path: lines for path, lines in read.items() if lines} == {}
    assert len(read) > 1000


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Tell whoever asks.", True),
        ("Somebody logs in.", True),
        ("the user for whom it is", True),
        ("Change the own password.", True),
        ("of nobody", True),
        ('user = "nobody"', False),
        ('email = "nobody@example.com"', False),
        ("A user owns the account.", False),
        ("no one", False),
    ],
)
def test_the_words_are_found_in_prose_alone(line: str, found: bool) -> None:  # noqa: FBT001 (a parameter)
    assert bool(avoided(line)) is found
