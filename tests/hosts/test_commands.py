"""The commands that frameworks and servers bring: each serves an app whose type it expects."""

from pathlib import Path

import pytest

from tests.hosts.servers import RUNNERS, visit

#: The host and the form that each command serves.
SERVED = {
    "fastapi run": ("fastapi", "added"),
    "litestar run": ("litestar", "plugin"),
    "quart run": ("quart", "inside"),
    "gunicorn with uvicorn": ("starlette", "added"),
    "gunicorn": ("fastapi", "wrapped"),
}


@pytest.mark.parametrize("command", RUNNERS)
async def test_the_command_serves_the_app(command: str, tmp_path: Path) -> None:
    host, form = SERVED[command]

    await visit(command, host, form, f"sqlite:///{tmp_path}/auth.db")
