"""Writes README.md beside it: every requirement with the tests that prove it. `python -m tests.security.table`."""

from collections import Counter
from collections.abc import Iterable

from tests.security.matrix import HERE, Row, lessons, requirements

FILE = HERE / "README.md"
STATES = ("met", "documented", "host's duty", "in part", "not met", "later")
HEAD = """# What must hold

Made by `python -m tests.security.table` from [requirements.csv](requirements.csv), [lessons.csv](lessons.csv) and
[evidence](evidence); a test compares. The requirements are those of OWASP ASVS 5.0.0, of RFCs 6265bis, 6750, 7009,
7515, 7518, 7519, 8725, 9068, 9106, 9207 and 9700, of NIST SP 800-63B-4, of OWASP's cheat sheets, and some of this
project (REL, KEY), in words of this project. `python -m tests.security.mutations` removes defenses and shows that their
tests then fail.

| state | meaning |
| --- | --- |
| met | a test fails when the requirement does not hold |
| documented | the reader has to do it, and the documentation says so |
| host's duty | a library alone cannot do it; the reason says what the host does |
| in part, not met | the reason says what is missing |
| later | part of a feature that this version does not have |

"""


def table() -> str:
    """The whole file."""
    rows, learnt = requirements(), lessons()
    parts = [HEAD, _totals("requirements", rows), _totals("lessons", learnt)]
    for area in sorted({row.area for row in rows}):
        parts += [f"\n## {area}\n\n", _rows(row for row in rows if row.area == area)]
    parts.append(f"\n## Lessons of other libraries\n\n{_rows(learnt)}")
    return "".join(parts)


def _totals(name: str, rows: list[Row]) -> str:
    counts = Counter(row.state for row in rows)
    told = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    return f"- {len(rows)} {name}: {told}\n"


def _rows(rows: Iterable[Row]) -> str:
    lines = ["| id | level | requirement | test | state |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {row.id} | {_cell(row.level)} | {_cell(row.text)} | {_tests(row)} | {_state(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _tests(row: Row) -> str:
    if row.evidence is None:
        return ""
    shown = []
    for node in row.evidence.tests:
        file, _, name = node.partition("::")
        shown.append(f"[{name.removeprefix('test_').replace('_', ' ')}](../{file})")
    shown += ["said in {}, {}".format(*place.split("#")[:2]) for place in row.evidence.says]
    return _cell("; ".join(shown))


def _state(row: Row) -> str:
    reason = row.evidence.reason if row.evidence is not None else ""
    return _cell(f"{row.state}: {reason}" if reason else row.state)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(table(), "utf-8")
