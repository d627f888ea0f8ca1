"""Takes defences out, one at a time, and shows that the test that is named for each then fails.

`python -m tests.security.mutations [word]` works on a copy in a temporary folder; it prints a table, and ends with 1
when a test doesn't notice, or when a defence isn't where it was. With a word it takes those with the word in the name.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from tests.security.defences import DEFENCES, SOURCE, Defence
from tests.security.defences_of_administration import ADMINISTRATION
from tests.security.defences_of_authorization import AUTHORIZATION
from tests.security.defences_of_clients import CLIENTS
from tests.security.defences_of_clocks import CLOCKS
from tests.security.defences_of_endpoints import ENDPOINTS
from tests.security.defences_of_ends import ENDS
from tests.security.defences_of_factors import FACTORS
from tests.security.defences_of_failover import FAILOVER
from tests.security.defences_of_failovers import FAILOVERS
from tests.security.defences_of_fields import FIELDS
from tests.security.defences_of_grants import GRANTS
from tests.security.defences_of_impersonation import IMPERSONATION
from tests.security.defences_of_imports import IMPORTS
from tests.security.defences_of_input import INPUT
from tests.security.defences_of_issuers import ISSUERS
from tests.security.defences_of_names import NAMES_OF_ACCOUNTS
from tests.security.defences_of_operation import OPERATION
from tests.security.defences_of_outages import OUTAGES
from tests.security.defences_of_overload import OVERLOAD
from tests.security.defences_of_passkeys import PASSKEYS
from tests.security.defences_of_permissions import PERMISSIONS
from tests.security.defences_of_processes import PROCESSES
from tests.security.defences_of_provider_sign_ups import AFTER_PROVIDERS
from tests.security.defences_of_providers import PROVIDERS
from tests.security.defences_of_the_relay import RELAY
from tests.variants import VARIABLE

ROOT = SOURCE.parent
ALL = [
    *DEFENCES,
    *INPUT,
    *PROCESSES,
    *CLOCKS,
    *OVERLOAD,
    *OUTAGES,
    *FAILOVER,
    *ENDPOINTS,
    *ENDS,
    *FACTORS,
    *PASSKEYS,
    *FAILOVERS,
    *FIELDS,
    *IMPORTS,
    *OPERATION,
    *PERMISSIONS,
    *ADMINISTRATION,
    *IMPERSONATION,
    *NAMES_OF_ACCOUNTS,
    *PROVIDERS,
    *AFTER_PROVIDERS,
    *CLIENTS,
    *GRANTS,
    *AUTHORIZATION,
    *ISSUERS,
    *RELAY,
]
#: What a test needs of npm weighs a hundred times as much as all code; no test of a row reads it.
LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__")
COPIED = ("asgi_auth", "tests", "examples", "pyproject.toml", "README.md", "docs", "mkdocs.yml", ".github/SECURITY.md")


def main(word: str = "") -> int:
    """Take each chosen defence out; print what happened."""
    chosen = [item for item in ALL if word in item.name]
    survived = 0
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        root = Path(folder)
        if sys.pycache_prefix:
            # What Python compiles of the copy lies elsewhere.
            stack.callback(shutil.rmtree, f"{sys.pycache_prefix}{root.resolve()}", ignore_errors=True)
        for name in COPIED:
            (root / name).parent.mkdir(exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=LEFT_OUT)
            else:
                shutil.copy(ROOT / name, root / name)
        # What this run has compiled serves those that follow, but for the file that is changed: its time is another.
        if run(root, sorted({item.test for item in chosen}), is_first=True) != 0:
            sys.stdout.write("the tests fail as things are\n")
            return 1
        for item in chosen:
            noticed = item.stands(root / "asgi_auth") and is_noticed(item, root)
            survived += not noticed
            sys.stdout.write(f"{'noticed ' if noticed else 'SURVIVED'}  {item.name}: {item.test}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - survived} of {len(chosen)} noticed\n")
    return 1 if survived or not chosen else 0


def is_noticed(defence: Defence, root: Path) -> bool:
    """Run the test without the defence; tell whether it failed, as it should."""
    path = root / "asgi_auth" / defence.file
    source = path.read_text("utf-8")
    path.write_text(source.replace(defence.old, defence.new), "utf-8")
    try:
        return run(root, [defence.test]) == 1
    finally:
        path.write_text(source, "utf-8")


def run(root: Path, tests: Iterable[str], *, is_first: bool = False) -> int:
    """Run all variants of tests of a copy; 0 is passed, 1 is failed, and all else is no answer."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", *(f"tests/{name}" for name in tests)]
    variables = {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "" if is_first else "1", VARIABLE: "1"}
    environment = os.environ | variables
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
