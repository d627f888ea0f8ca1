"""Further hosts pass the same script as the ten: in each style of servers."""

import pytest

from asgi_auth import Argon2
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.feature import PasswordService
from tests.hosts.forms import MORE, load
from tests.hosts.inprocess import LocalConnect, running
from tests.hosts.script import Visit, walk
from tests.hosts.test_examples import STYLES, client_of


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("host", MORE)
async def test_the_script_runs(host: str, style: str) -> None:
    root, prefix = STYLES[style]
    # The server of MCP starts once: each style has a module of its own.
    module = load(host, style)
    module.auth[PasswordService].hasher = PasswordHasher(Argon2.cheap(), 1, None)
    connect = LocalConnect(module.app, root_path=root) if host == "fasthtml" else None

    async with running(module.app), client_of(module.app, root) as client:
        await walk(Visit(client, connect, module.auth.users.set_roles, pages=prefix, auth=f"{prefix}/auth"))
