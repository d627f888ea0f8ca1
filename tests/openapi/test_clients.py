"""Linters accept the documents, and the clients that generators make of them pass strict type checkers.

Each tool reads the document of all endpoints twice: as the library serves it, and merged into that of FastAPI.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI

from asgi_auth import OpenAPI
from asgi_auth.hosts import fastapi
from asgi_auth.openapi import Info
from tests.openapi.everything import everything

FILES = Path(__file__).parent / "clients"
TOOLS = FILES / "node_modules" / ".bin"
DESCRIPTION = "Accounts, sessions and tokens."
#: The prefixes of paths and of names, by document.
PREFIXES = {"own": ("", ""), "merged": ("/auth", "Auth")}

pytestmark = [pytest.mark.timeout(300), pytest.mark.parametrize("kind", PREFIXES)]


async def written(kind: str, folder: Path) -> Path:
    """Write a document into a folder, and return its path."""
    auth = everything()
    auth[OpenAPI].info = Info(description=DESCRIPTION)
    async with auth:
        document = await auth[OpenAPI].openapi()
    if kind == "merged":
        app = FastAPI(description=DESCRIPTION, servers=[{"url": "/"}])
        fastapi.install(app)

        @app.get("/notes", tags=["notes"], responses={401: {"description": "A login is required."}})
        async def notes(user: fastapi.CurrentUser) -> str:
            return user.id

        fastapi.merge_openapi(app, auth)
        # A tag of the host has its meaning from the host.
        document = app.openapi()
        document["tags"].append({"name": "notes", "description": "Notes."})
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def run(*command: object, folder: Path) -> None:
    """Run a command in a folder, and fail with its output when it fails."""
    environment = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    arguments = [str(part) for part in command]
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def tool(name: str) -> Path:
    """Return the path of a Node.js tool; fail when it or Node.js is missing."""
    assert shutil.which("node"), "Node.js is missing: install it, then run `make node`"
    assert (TOOLS / name).exists(), f"{name} is missing: run `make node`"
    return TOOLS / name


async def test_spectral_has_no_complaint(kind: str, tmp_path: Path) -> None:
    document = await written(kind, tmp_path)
    options = ("--ruleset", FILES / "spectral.yaml", "--fail-severity", "hint")

    run(tool("spectral"), "lint", document, *options, folder=tmp_path)


async def test_redocly_has_no_complaint(kind: str, tmp_path: Path) -> None:
    document = await written(kind, tmp_path)

    run(tool("redocly"), "lint", document, "--config", FILES / "redocly.yaml", folder=tmp_path)


async def test_the_types_for_typescript_are_strict_and_complete(kind: str, tmp_path: Path) -> None:
    document = await written(kind, tmp_path)
    mount, _ = PREFIXES[kind]
    sample = (FILES / "sample.ts").read_text("utf-8").replace("MOUNT", mount)
    (tmp_path / "sample.ts").write_text(sample, "utf-8")
    shutil.copy(FILES / "tsconfig.json", tmp_path)

    run(tool("openapi-typescript"), document, "--output", tmp_path / "schema.d.ts", folder=tmp_path)
    run(tool("tsc"), "--project", tmp_path, folder=tmp_path)


async def test_the_client_for_python_is_strict_and_complete(kind: str, tmp_path: Path) -> None:
    document = await written(kind, tmp_path)
    _, prefix = PREFIXES[kind]
    sample = (FILES / "sample.py.txt").read_text("utf-8").replace("PREFIX", prefix)
    (tmp_path / "sample.py").write_text(sample, "utf-8")
    options = ("--meta", "none", "--config", FILES / "python.yaml", "--output-path", tmp_path / "client")

    generator = Path(sys.executable).with_name("openapi-python-client")
    assert generator.exists(), "openapi-python-client is missing: run `make suite`, which installs the pins"
    run(generator, "generate", "--path", document, *options, "--fail-on-warning", folder=tmp_path)
    run(sys.executable, "-m", "mypy", "--strict", "client", "sample.py", folder=tmp_path)
