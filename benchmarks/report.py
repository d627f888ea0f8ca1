"""Results as Markdown, with tables for the documentation and a chart for each table that has one."""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from benchmarks.costs import (
    carries,
    counted_calls,
    overloaded,
    several_processes,
    sizing,
    steps_of_a_refresh,
    table_of,
)
from benchmarks.machine import LOAD
from benchmarks.parts import requests
from benchmarks.plots import chart
from benchmarks.records import Figure, Results, Table, Target

RESULTS = Path(__file__).parent / "results"
DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "performance.md"
CHARTS = DOCS / "images" / "benchmarks"
#: The charts that the page shows.
SHOWN = ("requests", "writes_postgresql", "storm", "overload")
END = "<!-- end -->"
#: What a PyJWT decode takes, in µs, on the machine that the targets come from.
THEIRS = 41


def write(results: Results, out: Path) -> None:
    """Write results.json, results.md and the charts."""
    (out / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    (out / "results.md").write_text("\n".join(markdown(results)) + "\n", "utf-8")
    for part in results.parts.values():
        for table in part.tables:
            if table.chart and table.rows:
                (out / f"{table.name}.svg").write_text(chart(table), "utf-8")


def markdown(results: Results) -> Iterable[str]:
    """Every table with its workload, every target with what was measured."""
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    versions = ", ".join(f"{name} {value}" for name, value in results.versions.items())
    yield from (f"# Results ({results.size})", "", f"{results.date}. {machine}.", "", f"{versions}.", "")
    yield from ("Medians, with the least and the most of the rounds. The load runs on the same machine.", "")
    yield from ("## Targets", "", targets_table(results), "")
    for part in results.parts.values():
        ended = "" if part.complete else ", ended before it was complete"
        yield from (f"## {part.name.replace('_', ' ')} ({part.seconds:.0f} s{ended})", "")
        if part.measured and not part.measured.startswith(results.date):
            yield from (f"Measured {part.measured}.", "")
        for table in part.tables:
            yield from (f"### {table.title}", "", f"{table.workload}. Unit: {table.unit}.", "")
            yield from ([f"![{table.title}]({table.name}.svg)", ""] if table.chart and table.rows else [])
            yield from (rows_of(table), "", *[f"- {note}" for note in table.notes], "")
        if part.left_out:
            yield from ("Left out:", "", *[f"- {who}: {reason}" for who, reason in part.left_out.items()], "")


def rows_of(table: Table) -> str:
    """A table of figures; beside each median stands its ratio to the baseline's."""
    columns = list(dict.fromkeys(column for row in table.rows.values() for column in row))
    base = table.rows.get(table.baseline, {})
    lines = [["", *columns], ["---"] * (len(columns) + 1)]
    for name, row in table.rows.items():
        lines.append([name, *[_cell(row.get(column), base.get(column), name == table.baseline) for column in columns]])
    return lines_of(lines)


def targets_table(results: Results) -> str:
    """All targets, and whether they were met; absolute ones also as on a machine as fast as theirs."""
    lines = [["what", "target", "measured", "", f"where PyJWT takes {THEIRS} µs"], ["---"] * 5]
    decode = table_of(results, "requests").rows.get(requests.PYJWT, {}).get("adds")
    # The least that it took here: the machine isn't made slower than it is.
    slower = decode.least / THEIRS if decode else 1
    for part in results.parts.values():
        lines += [
            [each.subject, each.goal, _measured(each), each.verdict, _scaled(each, slower)] for each in part.targets
        ]
    return lines_of(lines)


def _scaled(target: Target, slower: float) -> str:
    """What an absolute figure would be on a machine that is so many times as fast."""
    if not target.scales or target.measured is None:
        return ""
    measured = target.measured / slower if target.most else target.measured * slower
    return _measured(msgspec.structs.replace(target, measured=measured))


def for_docs(folder: Path = RESULTS) -> dict[str, str]:
    """The tables of the documentation, by name, made from the kept results."""
    results = msgspec.json.decode((folder / "results.json").read_bytes(), type=Results)
    return {
        "measured on": measured_on(results),
        "targets": targets_table(results),
        "carries": lines_of(carries(results)),
        "steps": lines_of(steps_of_a_refresh(results)),
        "statements": lines_of(counted_calls(results)),
        "processes": lines_of(several_processes(results)),
        "sizing": lines_of(sizing(results)),
        "overload": lines_of(overloaded(results)),
    }


def write_docs() -> None:
    """Write the tables and the charts into the documentation."""
    text = PAGE.read_text("utf-8")
    for name, content in for_docs().items():
        before, begin, rest = text.partition(f"<!-- table: {name} -->\n")
        text = before + begin + content + "\n" + END + rest.partition(END)[2]
    PAGE.write_text(text, "utf-8")
    for name in SHOWN:
        (CHARTS / f"{name}.svg").write_text((RESULTS / f"{name}.svg").read_text("utf-8"), "utf-8")


def measured_on(results: Results) -> str:
    """When it was measured, and on what."""
    machine, versions = results.machine, results.versions
    return (
        f"The {results.size} run of {results.date}: {machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory']}, CPython {versions['CPython']}; a load of {machine[LOAD]} when it began."
    )


def _measured(target: Target) -> str:
    unit = re.sub(r"^[^\d]*[\d.,]+\s?", "", target.goal)
    return "–" if target.measured is None else f"{number(target.measured)} {unit}".strip()


def _cell(figure: Figure | None, base: Figure | None, is_base: bool) -> str:  # noqa: FBT001 (a cell of two kinds)
    if figure is None:
        return ""
    shown = f"{number(figure.median)} ({number(figure.least)}–{number(figure.most)})"
    if is_base or base is None or base.median <= 0:
        return shown
    return f"{shown} · {number(figure.median / base.median, 2)} ×"


def number(value: float, digits: int = 3) -> str:
    """A number as people read it."""
    if value == 0:
        return "0"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{float(f'{value:.{digits}g}'):g}"


def lines_of(rows: list[list[str]]) -> str:
    """Rows as a table of Markdown."""
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)


if __name__ == "__main__":
    write_docs()
