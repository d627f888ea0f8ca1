"""Commands about signing keys: a file is made, rotated step by step, and shown without anything secret."""

import json
from pathlib import Path

import pytest

from asgi_auth.crypto.key_file import read_keys
from tests.command.commands import Done, process
from tests.support import SECRET

ENVIRONMENT = {"AUTH_SECRET": SECRET, "AUTH_SIGNING_KEYS_FILE": "keys.json", "AUTH_DATABASE_URL": "sqlite:///a.db"}

#: An app with a feature that makes tokens for clients.
APP = """
from asgi_auth import Auth, Passwords, Settings
from asgi_auth.feature import Feature

class ForClients(Feature):
    def attach(self, auth):
        super().attach(auth)
        auth.revocation.keep(2 * 86400)

auth = Auth("sqlite://", settings=Settings.load(), features=[Passwords(), ForClients()])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert run(tmp_path, "create").status == 0
    return tmp_path


def run(folder: Path, *arguments: str) -> Done:
    return process("keys", *arguments, cwd=folder, env=ENVIRONMENT)


def make_old(folder: Path) -> None:
    """Move all times a day back."""
    file = folder / "keys.json"
    document = json.loads(file.read_text())
    for item in document["keys"]:
        item["since"] -= 86400
    file.write_text(json.dumps(document))


def test_a_rotation_is_three_calls_and_an_early_one_changes_nothing(folder: Path) -> None:
    published, early = run(folder, "rotate"), run(folder, "rotate", "--json")
    before = (folder / "keys.json").read_bytes()
    listed = run(folder, "list", "--json").json
    make_old(folder)
    signed = run(folder, "rotate", "--json").json
    make_old(folder)
    dropped = run(folder, "rotate")

    assert (published.status, published.out.startswith("Published 20")) == (0, True)
    assert (early.status, json.loads(early.err)["code"], json.loads(early.err)["step"]) == (1, "too_early", "sign")
    assert b'"next"' in before
    assert [item["role"] for item in listed["keys"]] == ["signing", "next"]
    assert (listed["next"], 300 < listed["wait"] <= 360) == ("sign", True)
    assert (signed["step"], signed["next"], 900 < signed["wait"] <= 1020) == ("sign", "drop", True)
    assert (dropped.status, dropped.out.startswith("Dropped")) == (0, True)
    assert [item.role for item in read_keys(str(folder / "keys.json"))[0]] == ["signing"]


def test_the_key_before_stays_as_long_as_the_longest_tokens_of_the_app(folder: Path) -> None:
    (folder / "app.py").write_text(APP)
    for _ in range(2):
        run(folder, "rotate")
        make_old(folder)

    alone, of_app = run(folder, "list", "--json").json, run(folder, "list", "--json", "--app", "app:auth").json
    early = run(folder, "rotate", "--json", "--app", "app:auth")

    assert (alone["next"], alone["wait"]) == (of_app["next"], 0) == ("drop", 0)
    # Of two days, one is over.
    assert 86000 < of_app["wait"] < 87000
    assert (early.status, json.loads(early.err)["code"]) == (1, "too_early")


def test_nothing_private_is_written_out(folder: Path) -> None:
    private = json.loads((folder / "keys.json").read_text())["keys"][0]["d"]

    shown = [run(folder, *words) for words in (["list"], ["list", "--json"], ["rotate"], ["rotate", "--verbose"])]
    shown.append(process("config", cwd=folder, env=ENVIRONMENT))

    assert all(private not in done.out + done.err for done in shown)


def test_a_file_is_never_overwritten_and_wrong_calls_are_told(folder: Path) -> None:
    again = run(folder, "create")
    alone = process("keys", "rotate", "keys.json", cwd=folder, env={})
    nameless = process("keys", "create", cwd=folder, env={"AUTH_SECRET": SECRET})
    never = process("keys", "rotate", "keys.json", "--ttl", "0", cwd=folder, env={})
    by_ttl = process("keys", "rotate", "keys.json", "--ttl", "960", "--algorithm", "ES256", cwd=folder, env={})
    (folder / "keys.json").chmod(0o644)
    opened = run(folder, "list")

    assert (again.status, "File exists" in again.line) == (1, True)
    assert (alone.status, "--ttl" in alone.line) == (2, True)
    assert (never.status, "--ttl 0" in never.line) == (2, True)
    assert (nameless.status, "signing_keys_file" in nameless.line) == (2, True)
    assert (by_ttl.status, opened.status, "chmod 600" in opened.line) == (0, 1, True)
