"""A pytest of its own, as a user of the library runs it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Others of this environment are slow to load.
PLUGINS = ["-p", "pytest_asyncio.plugin", "-p", "anyio.pytest_plugin"]
CONFIGURATION = """
[pytest]
asyncio_mode = {mode}
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""


def pytest_in(
    folder: Path, *, path: Path = ROOT, plugin: str = "asgi_auth.testing.plugin"
) -> subprocess.CompletedProcess[str]:
    """Run the tests in a folder with the library in `path`, and its `plugin` by name."""
    environment = os.environ | {"PYTHONPATH": str(path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", *PLUGINS, "-p", plugin, str(folder)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
