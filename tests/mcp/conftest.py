"""The servers of all tests with MCP clients."""

from collections.abc import Iterator

import pytest

from tests.hosts.servers import free_port
from tests.mail.server import authority
from tests.mcp.serving import Server, serving


@pytest.fixture(scope="package")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The example on FastMCP, as it is."""
    with serving(tmp_path_factory.mktemp("example"), "tests.mcp.example:app", "/mcp") as server:
        yield server


@pytest.fixture(scope="package")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the MCP SDK below a path, beside another resource; it finds `client.example` on this machine."""
    authorities, port = authority().cert_pem.bytes().decode(), free_port()
    environment = {"DOCUMENTS_CA": authorities, "DOCUMENTS_PORT": str(port)}
    with serving(tmp_path_factory.mktemp("team"), "tests.mcp.served:app", "/team/mcp", **environment) as server:
        server.documents = port
        yield server
