"""`python -m tests.types`: run both gates, print what is wrong, and fail if anything is."""

import sys
import tempfile
from pathlib import Path

from tests.types import public, snippets


def main() -> int:
    """Return the exit status: 0 if both gates are open."""
    with tempfile.TemporaryDirectory() as folder:
        share, faults = public.report(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        count, problems = snippets.report(Path(folder))
    closed = bool(faults) or share < public.LEAST
    lines = [*faults, *problems]
    lines.append(f"public types: {share:.1%} complete (at least {public.LEAST:.0%})")
    lines.append(f"snippets: {count}, problems: {len(problems)}")
    sys.stdout.write("\n".join(lines) + "\n")
    return int(closed or bool(problems))


if __name__ == "__main__":
    sys.exit(main())
