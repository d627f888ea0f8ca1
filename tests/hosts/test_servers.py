"""Each example as a real process under each server. Another process changes roles in the same database."""

from pathlib import Path

import pytest

from tests.hosts.forms import FORMS, MORE, OTHERS
from tests.hosts.servers import COMMANDS, visit


@pytest.mark.parametrize("server", COMMANDS)
@pytest.mark.parametrize("host", FORMS)
async def test_every_example_runs_under_every_server(host: str, server: str, tmp_path: Path) -> None:
    await visit(server, host, FORMS[host][0], f"sqlite:///{tmp_path}/auth.db")


@pytest.mark.parametrize("host", MORE)
async def test_every_further_example_runs_under_a_server(host: str, tmp_path: Path) -> None:
    await visit("uvicorn", host, "wrapped", f"sqlite:///{tmp_path}/auth.db")


@pytest.mark.parametrize(("host", "form"), OTHERS)
async def test_every_other_form_runs_under_a_server(host: str, form: str, tmp_path: Path) -> None:
    await visit("uvicorn", host, form, f"sqlite:///{tmp_path}/auth.db")


@pytest.mark.parametrize("server", COMMANDS)
async def test_a_mount_is_found_behind_a_prefix_that_the_server_knows_of(server: str, tmp_path: Path) -> None:
    await visit(server, "starlette", "mounted", f"sqlite:///{tmp_path}/auth.db", prefix="/api")
