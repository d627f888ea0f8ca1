"""The Inspector and mcp-remote against a real server, with documents. `make commands` runs them through their lives."""

from pathlib import Path

import pytest

from tests.mcp.commands import WRITE, Home, Remote
from tests.mcp.serving import Server, documents

pytestmark = pytest.mark.timeout(300)


async def test_both_have_documents(team: Server, tmp_path: Path) -> None:
    async with documents(team.documents) as url:
        home = Home(tmp_path / "remote")
        async with Remote(home, team.url, "--client-metadata-url", url) as remote:
            told = await remote.call("whoami")
            assert told.endswith(f" by {url}")
            # It asks the user once more, for the scopes of the first time: it needs a first challenge with all.
            with pytest.raises(PermissionError, match="Unauthorized"):
                await remote.call("write", text="x")
            assert {asked["scope"] for asked in home.opened} == {"notes:read"}
        # The Inspector asks for all scopes of the metadata at once.
        home = Home(tmp_path / "inspector")
        assert await home.inspect(team.url, *WRITE, "--client-metadata-url", url) == f"{told.split()[0]} wrote x"
        assert [asked["scope"] for asked in home.opened] == ["notes:read notes:write"]
