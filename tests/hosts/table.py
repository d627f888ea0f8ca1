"""Runs the script on each host, in each form, under each server, and prints the results as a Markdown table.

Usage: `python -m tests.hosts.table [host …]`, by default with all hosts. Exits with 1 if a run failed.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.hosts.forms import FORMS, PAIRS
from tests.hosts.servers import COMMANDS, visit


async def outcome(server: str, host: str, form: str) -> str:
    """Return `ok`, or the type of the error."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            await visit(server, host, form, f"sqlite:///{Path(folder) / 'auth.db'}")
        except Exception as error:  # noqa: BLE001 (each error is a cell of the table)
            return f"**{type(error).__name__}**"
        return "ok"


async def main(hosts: list[str]) -> int:
    """Print each row when its runs are done."""
    results = []
    show("host", "form", *COMMANDS)
    show(*["---"] * (len(COMMANDS) + 2))
    for host, form in PAIRS:
        if not hosts or host in hosts:
            row = [await outcome(server, host, form) for server in COMMANDS]
            show(host, form + (" (the example)" if form == FORMS[host][0] else ""), *row)
            results += row
    return 0 if set(results) == {"ok"} else 1


def show(*cells: str) -> None:
    """Print a row."""
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
