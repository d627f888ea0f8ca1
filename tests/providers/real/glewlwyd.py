"""glewlwyd, an OpenID provider in C, in a process of its own with a database of its own. Debian has it."""

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from asgi_auth.testing.provider.jose import signing_key
from tests.cluster import free_port

# glewlwyd does not decode a secret (RFC 6749, 2.3.1), so this one has plain characters.
CLIENT_ID, CLIENT_SECRET = "app", "the-secret-of-a-client-of-glewlwyd"
USER, PASSWORD = "ann", "the password of Ann"
#: The administrator of a new database.
ADMIN = {"username": "admin", "password": "password"}
SCOPES = ("openid", "email", "profile")
#: The schema that the package brings.
SCHEMA = Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3")
EXAMPLES = Path("/usr/share/doc/glewlwyd")
MODULES = Path("/usr/lib/glewlwyd")
CONFIG = """
port = {port}
bind_address = "127.0.0.1"
external_url = "http://localhost:{port}"
login_url = "login.html"
api_prefix = "api"
static_files_path = "/usr/share/glewlwyd/webapp/"
log_mode = "file"
log_level = "WARNING"
log_file = "{folder}/log"
cookie_domain = "localhost"
cookie_secure = 0
session_expiration = 3600
session_key = "GLEWLWYD2_SESSION_ID"
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "{modules}/user"
user_middleware_module_path = "{modules}/user_middleware"
client_module_path = "{modules}/client"
user_auth_scheme_module_path = "{modules}/scheme"
plugin_module_path = "{modules}/plugin"
use_secure_connection = false
secure_connection_key_file = "unused"
secure_connection_pem_file = "unused"
secure_connection_ca_file = "unused"
hash_algorithm = "SHA512"
database = {{ type = "sqlite3"; path = "{folder}/glewlwyd.db"; }};
static_files_mime_types = (
  {{ extension = ".html"; mime_type = "text/html"; }},
  {{ extension = ".css"; mime_type = "text/css"; }},
  {{ extension = ".js"; mime_type = "application/javascript"; }},
  {{ extension = ".json"; mime_type = "application/json"; }},
  {{ extension = ".png"; mime_type = "image/png"; }}
)
"""


class Session:
    """A session at the API of glewlwyd, by its cookie."""

    def __init__(self, base: str) -> None:
        self._base = base
        self.cookie = ""

    def call(self, method: str, path: str, body: Any) -> None:
        """Send JSON. Raises RuntimeError for a refusal, and URLError without an answer."""
        headers = {"content-type": "application/json", "cookie": self.cookie}
        request = urllib.request.Request(f"{self._base}/api{path}", json.dumps(body).encode(), headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.cookie = (answer.headers["set-cookie"] or self.cookie).partition(";")[0]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from None


@contextmanager
def glewlwyd(folder: Path, redirect_uris: Sequence[str]) -> Iterator[str]:
    """Run glewlwyd in a folder with a client, a user and an OpenID plugin, and give its issuer."""
    program = shutil.which("glewlwyd")
    if program is None:
        raise RuntimeError("glewlwyd is missing: run `make glewlwyd`")
    port = free_port()
    base = f"http://localhost:{port}"
    make_database(folder / "glewlwyd.db")
    config = folder / "glewlwyd.conf"
    config.write_text(CONFIG.format(port=port, folder=folder, modules=MODULES), "utf-8")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with subprocess.Popen([program, f"--config-file={config}"], env=environment, cwd=folder) as process:
        try:
            await_session(base, process)
            set_up(base, redirect_uris)
            yield f"{base}/api/oidc"
        finally:
            process.terminate()


def make_database(path: Path) -> None:
    """Make the tables, as the package's documentation says."""
    found = [file for file in (SCHEMA, *EXAMPLES.glob("*sqlite3*")) if file.exists()]
    if not found:
        raise RuntimeError("the package glewlwyd has no schema for SQLite")
    raw = found[0].read_bytes()
    text = (gzip.decompress(raw) if found[0].suffix == ".gz" else raw).decode()
    connection = sqlite3.connect(path)
    connection.executescript(text)
    connection.close()


def await_session(base: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the administrator can log in. Raises RuntimeError when glewlwyd ends before, or takes too long."""
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            Session(base).call("POST", "/auth/", ADMIN)
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("glewlwyd does not start")


def set_up(base: str, redirect_uris: Sequence[str]) -> None:
    """Make the plugin, the scopes, the client, and the user, who allows the client to log in."""
    admin = Session(base)
    admin.call("POST", "/auth/", ADMIN)
    # The schema brings the scope openid.
    for scope in SCOPES[1:]:
        admin.call("POST", "/scope/", {"name": scope, "display_name": scope, "password_required": True, "scheme": {}})
    admin.call("POST", "/mod/plugin/", plugin(f"{base}/api/oidc"))
    client = {"client_id": CLIENT_ID, "name": "App", "confidential": True, "password": CLIENT_SECRET, "enabled": True}
    client |= {"redirect_uri": [*redirect_uris], "authorization_type": ["code", "refresh_token"], "scope": [*SCOPES]}
    client |= {"token_endpoint_auth_method": ["client_secret_basic"]}
    admin.call("POST", "/client/?source=database", client)
    user = {"username": USER, "password": PASSWORD, "name": "Ann", "email": "ann@example.com", "enabled": True}
    admin.call("POST", "/user/?source=database", user | {"scope": ["g_profile", *SCOPES]})
    session = Session(base)
    session.call("POST", "/auth/", {"username": USER, "password": PASSWORD})
    session.call("PUT", f"/auth/grant/{CLIENT_ID}", {"scope": " ".join(SCOPES)})


def plugin(issuer: str) -> dict[str, Any]:
    """Return the plugin for OpenID Connect, which signs with ES256 and requires PKCE with S256."""
    key = signing_key("glewlwyd", "ES256")
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    switches = ("code", "id-token", "refresh")
    off = ("token", "none", "password", "client", "device")
    parameters: dict[str, Any] = {
        "iss": issuer,
        "jwt-type": "ecdsa",
        "jwt-key-size": "256",
        "key": key.private.private_bytes(*pem).decode(),
        "cert": key.pem.decode(),
        "jwks-show": True,
        "code-duration": 60,
        "access-token-duration": 3600,
        "refresh-token-duration": 86400,
        "refresh-token-rolling": True,
        "allow-non-oidc": False,
        "pkce-allowed": True,
        "pkce-required": True,
        "pkce-method-plain-allowed": False,
        "subject-type": "public",
        "name-claim": "mandatory",
        "email-claim": "mandatory",
        **{f"auth-type-{name}-enabled": True for name in switches},
        **{f"auth-type-{name}-enabled": False for name in off},
    }
    return {"module": "oidc", "name": "oidc", "display_name": "OpenID", "parameters": parameters}
