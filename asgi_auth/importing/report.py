"""What an import has done, and where it stopped."""

from dataclasses import dataclass, field
from typing import NamedTuple

#: The refused lines that a report keeps: a large file may have any number of them.
KEPT = 1000


class Refusal(NamedTuple):
    """A record that was not imported: its line, and the reason, which contains no value of the record."""

    line: int
    reason: str


@dataclass
class ImportReport:
    """The numbers of users that an import has made, updated, skipped and refused.

    `refusals` are the first thousand refused lines. `line` is the last line that is done: an import that was
    interrupted can go on after it. `part` is the part of the source that was read, from 0 to 1, if it is known.
    """

    made: int = 0
    updated: int = 0
    skipped: int = 0
    refused: int = 0
    line: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    part: float | None = None

    @property
    def read(self) -> int:
        """The number of records."""
        return self.made + self.updated + self.skipped + self.refused

    def refuse(self, refusal: Refusal) -> None:
        """Count a refused record, and keep it if it is one of the first."""
        self.refused += 1
        if len(self.refusals) < KEPT:
            self.refusals.append(refusal)


class ImportStoppedError(Exception):
    """An import stopped at a record whose id or address is taken, as `on_conflict="fail"` asks for.

    The batches before that of `line` are stored, and nothing of its own batch; `report` counts them.
    """

    def __init__(self, line: int, report: ImportReport) -> None:
        """Take the line and the report."""
        super().__init__(f"line {line}: a user with this id or address exists")
        self.line: int = line
        self.report: ImportReport = report
