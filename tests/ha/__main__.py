"""Run failures of the database under load, judge them, and print the table.

The failures, the ways of the app to the primary, and what is promised are in `failures.py`, `routes.py` and
`targets.py`. Needs root, and Debian's packages of `make test-ha`.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.ha import isolation

PROGRAMS = ["patroni", "etcd", "haproxy", "pgbouncer", "ip", "psql", "unshare", "setpriv", "postgres"]


def main() -> int:
    """Isolate the run, then run."""
    parser = argparse.ArgumentParser(prog="python -m tests.ha", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every failure with and without synchronous_mode")
    parser.add_argument("--only", help="names of failures, separated by commas")
    parser.add_argument("--mode", choices=["sync", "async"], help="with or without synchronous_mode only")
    parser.add_argument("--write", action="store_true", help="write the table into the guide")
    parser.add_argument("--logs", type=Path, help="a folder for the logs (default: a new one in /tmp)")
    options = parser.parse_args()
    if absent := isolation.missing(PROGRAMS):
        parser.error(f"missing: {', '.join(absent)}; `make test-ha` installs them on Debian, as root")
    if not isolation.is_inside():
        logs = options.logs or Path(tempfile.mkdtemp(prefix="asgi-auth-ha-logs-"))
        logs.mkdir(parents=True, exist_ok=True)
        return isolation.isolate("tests.ha", [*sys.argv[1:], "--logs", str(logs.resolve())])
    isolation.be_init()
    from tests.ha import run

    return asyncio.run(run.main(options))


if __name__ == "__main__":
    sys.exit(main())
