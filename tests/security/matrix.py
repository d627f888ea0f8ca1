"""What must hold, and what shows that it does: the requirements, the lessons, and the evidence for each.

An entry of `evidence/*.toml` has `tests` (node ids below `tests/`), `says` (places of the documentation, as
`file#heading#text`), and where something is open `host` (the host's duty) or `open` (not met, or not wholly), with
the reason.
"""

import ast
import csv
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TESTS = HERE.parent
LISTS = ("tests", "says")
REASONS = ("host", "open")


@dataclass(frozen=True)
class Evidence:
    """What shows that a requirement holds, or why it doesn't."""

    tests: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    host: str = ""
    open: str = ""

    @property
    def state(self) -> str:
        """One word for the table."""
        if self.host:
            return "host's duty"
        if self.open:
            return "in part" if self.tests or self.says else "not met"
        return "met" if self.tests else "documented"

    @property
    def reason(self) -> str:
        """Why it isn't met here, or not wholly."""
        return self.host or self.open


@dataclass(frozen=True)
class Row:
    """A requirement, or a lesson from a bug of another project, with its evidence."""

    id: str
    level: str
    area: str
    text: str
    later: bool
    evidence: Evidence | None

    @property
    def state(self) -> str:
        """One word for the table."""
        if self.evidence is None:
            return "later"
        return self.evidence.state


def requirements() -> list[Row]:
    """Every requirement, in the order of its source."""
    entries = evidence(path for path in (HERE / "evidence").glob("*.toml") if path.stem != "lessons")
    return [
        Row(item["id"], item["level"], item["area"], item["requirement"], item["round"] != "1", entries.get(item["id"]))
        for item in _table("requirements.csv")
    ]


def lessons() -> list[Row]:
    """Every lesson, with the bugs that taught it."""
    entries = evidence([HERE / "evidence" / "lessons.toml"])
    return [
        Row(
            item["n"], item["ids"], item["library"], f"{item['what']} → {item['lesson']}", False, entries.get(item["n"])
        )
        for item in _table("lessons.csv")
    ]


def evidence(files: Iterable[Path]) -> dict[str, Evidence]:
    """The entries of some files by id; raises ValueError for one that is repeated or can't be read."""
    found: dict[str, Evidence] = {}
    for file in sorted(files):
        for name, entry in tomllib.loads(file.read_text("utf-8")).items():
            if name in found:
                raise ValueError(f"{name} is repeated")
            lists: dict[str, Any] = {
                key: tuple(item) if isinstance(item, list) else item for key, item in entry.items()
            }
            found[name] = Evidence(**lists)
    return found


@cache
def test_names(file: str) -> frozenset[str]:
    """The tests of a file, read from its source."""
    path = TESTS / file
    if not path.is_file():
        return frozenset()
    body = ast.parse(path.read_text("utf-8")).body
    names = {
        item.name
        for item in body
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name.startswith("test_")
    }
    # The tests of the storage contract are those of the testing kit.
    kits = [item.module or "" for item in body if isinstance(item, ast.ImportFrom) and item.names[0].name == "*"]
    return frozenset(names.union(*(test_names(f"../{module.replace('.', '/')}.py") for module in kits)))


def exists(node: str) -> bool:
    """Whether there is such a test."""
    file, _, name = node.partition("::")
    return name in test_names(file)


def is_said(place: str) -> bool:
    """Whether the documentation has this text below this heading: `docs/security.md#Cookies#HTTPS`."""
    file, heading, text = place.split("#", 2)
    content = (TESTS.parent / file).read_text("utf-8")
    sections = (f"\n{content}").split("\n## ")
    return any(section.partition("\n")[0] == heading and text in section for section in sections)


def _table(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
