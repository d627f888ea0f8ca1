"""What a measurement leaves: figures in tables, tables and targets in parts, parts in one file of results."""

import statistics
from collections.abc import Iterable

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """The median of several measurements, with the least and the most."""

    median: float
    least: float
    most: float
    samples: int

    @classmethod
    def of(cls, values: Iterable[float]) -> "Figure":
        """Summarise."""
        given = sorted(values)
        return cls(_short(statistics.median(given)), _short(given[0]), _short(given[-1]), len(given))


class Table(msgspec.Struct):
    """One workload: a row for each contender, a figure in each column. `baseline` names the row that others divide by.

    A `lower` table is better when its figures are lower; `chart` names the column that is drawn.
    """

    name: str
    title: str
    workload: str
    unit: str
    rows: dict[str, dict[str, Figure]] = {}
    baseline: str = ""
    lower: bool = True
    chart: str = ""
    notes: list[str] = []

    def add(self, row: str, column: str, values: Iterable[float]) -> None:
        """Take in what was measured; nothing when there is nothing."""
        if given := list(values):
            self.rows.setdefault(row, {})[column] = Figure.of(given)

    def get(self, row: str, column: str) -> float | None:
        """The median, if it was measured."""
        figure = self.rows.get(row, {}).get(column)
        return figure.median if figure else None


class Target(msgspec.Struct, frozen=True):
    """What was asked for, and what came out; `measured` is None when this run did not get so far.

    One that `scales` was set in absolute figures on another machine, and depends on how fast this one is.
    """

    subject: str
    goal: str
    bound: float
    measured: float | None
    most: bool = True
    scales: bool = False

    @property
    def verdict(self) -> str:
        """Whether it was met."""
        if self.measured is None:
            return "not measured"
        return "met" if (self.measured <= self.bound if self.most else self.measured >= self.bound) else "missed"


class Part(msgspec.Struct):
    """All tables of one subject, the targets they answer, and who could not take part, with the reason."""

    name: str
    tables: list[Table] = []
    targets: list[Target] = []
    left_out: dict[str, str] = {}
    seconds: float = 0
    complete: bool = False
    #: When it was measured, and the load of the machine; a later run of some parts keeps the others.
    measured: str = ""


class Results(msgspec.Struct):
    """One run."""

    size: str
    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    parts: dict[str, Part] = {}


def at_most(subject: str, goal: str, bound: float, measured: float | None, *, scales: bool = False) -> Target:
    """A target that less is better for."""
    return Target(subject, goal, bound, None if measured is None else _short(measured), scales=scales)


def at_least(subject: str, goal: str, bound: float, measured: float | None, *, scales: bool = False) -> Target:
    """A target that more is better for."""
    return Target(subject, goal, bound, None if measured is None else _short(measured), most=False, scales=scales)


def ratio(a: float | None, b: float | None) -> float | None:
    """Divide what was measured by what was measured."""
    return None if a is None or not b else a / b


def _short(value: float) -> float:
    return float(f"{value:.4g}")
