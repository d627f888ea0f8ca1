"""The log of a command: shown once if it is wished, else not at all, whatever the app does to logging."""

import logging
from pathlib import Path

import pytest

from tests.command.commands import Commands, write_app
from tests.support import EMAIL

BY_DICTIONARY = """import logging.config
logging.config.dictConfig({
    "version": 1, "disable_existing_loggers": DISABLES,
    "handlers": {"console": {"class": "logging.StreamHandler"}}, "root": {"level": "INFO", "handlers": ["console"]},
})
"""
BY_LITESTAR = """from litestar import Litestar
from asgi_auth.hosts.litestar import AuthPlugin
app = Litestar([], plugins=[AuthPlugin(auth)])
"""


@pytest.mark.parametrize(
    "after",
    ["", BY_DICTIONARY.replace("DISABLES", "True"), BY_DICTIONARY.replace("DISABLES", "False"), BY_LITESTAR],
    ids=["none", "disables", "adds", "litestar"],
)
def test_the_log_of_a_command_is_that_of_the_command_whatever_the_app_configures(
    after: str, commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    app = write_app(tmp_path, commands.url, after=after)
    monkeypatch.chdir(tmp_path)
    try:
        commands.ok("migrate")
        shown = commands("create-user", EMAIL, "--no-password", "--app", app, "--verbose")
        quiet = commands("roles", EMAIL, "admin", "--app", app)
    finally:
        root.handlers, logging.getLogger("asgi_auth").disabled = handlers, False
        root.setLevel(level)

    lines = [line for line in shown.err.splitlines() if "user_create" in line]
    assert (shown.status, len(lines), quiet.err) == (0, 1, "")
