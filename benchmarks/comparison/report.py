"""The table of the comparison page, from the results: `python -m benchmarks.comparison.report` writes it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.comparison.contenders import CONTENDERS

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parents[1] / "docs" / "comparison.md"
BEGIN, END = "<!-- table: comparison -->\n", "<!-- end -->"
Figures = dict[str, Any]


def times(name: str) -> Callable[[Figures], str]:
    """Return what writes a ratio with two digits that count."""
    return lambda figures: f"{figures[name]:.2g} ×"


def alike(name: str) -> Callable[[Figures], str]:
    """Return what writes whether two answers were equal."""
    return lambda figures: {True: "equal", False: "differ", None: "not measured"}[figures.get(name)]


ROWS: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("version", lambda figures: figures["version"]),
    ("measured on", lambda figures: figures["at"]),
    ("load of the machine when it began", lambda figures: str(figures["load"])),
    ("a request that needs a login", times("request")),
    ("16 logins at once: succeeded", lambda figures: str(figures["logged_in"])),
    ("16 logins at once: time of all", times("storm")),
    ("the longest wait of another request", times("stall")),
    ("30 wrong passwords: compared", lambda figures: str(figures["checked"])),
    ("the right password after that", lambda figures: "accepted" if figures["owner"] == 200 else "refused for a while"),
    ("after a logout", lambda figures: "refused" if figures["after"] == 401 else "still accepted"),
    ("a wrong password, known and unknown address", alike("login_same")),
    ("time for an unknown address", times("login_time")),
    ("registration, known and unknown address", alike("register_same")),
    ("forgotten password, known and unknown address", alike("forgot_same")),
)


def table(results: dict[str, Figures]) -> str:
    """Return the table: a row for each measure, a column for each contender that was measured."""
    measured = [item for item in CONTENDERS if "request" in results.get(item.name, {})]
    lines = [["", *(item.title for item in measured)], ["---"] * (len(measured) + 1)]
    for title, written in ROWS:
        lines.append([title, *(written({"version": item.version, **results[item.name]}) for item in measured)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_table(text: str, results: dict[str, Figures]) -> str:
    """Return the text of the page with the table."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{table(results)}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    found = json.loads(RESULTS.read_text("utf-8"))
    PAGE.write_text(with_table(PAGE.read_text("utf-8"), found), "utf-8")
