"""`asgi-auth import` and `asgi-auth export`."""

import json
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from asgi_auth.errors import StorageUnavailableError
from tests.command.commands import Commands, process, write_app
from tests.importing.systems import FOLDER
from tests.support import EMAIL

USERS: list[dict[str, Any]] = [
    {"email": EMAIL, "email_verified": True, "roles": ["editor"], "password": "correct horse battery"},
    {"email": "bob@example.com"},
]


def write(folder: Path, *users: dict[str, Any], name: str = "users.jsonl") -> str:
    file = folder / name
    file.write_text("".join(json.dumps(user) + "\n" for user in users), "utf-8")
    return str(file)


def exported(commands: Commands, *arguments: str) -> list[dict[str, Any]]:
    done = commands("export", *arguments)
    assert (done.status, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


def test_users_are_imported_and_exported_on_each_database(everywhere: Commands, tmp_path: Path) -> None:
    file = write(tmp_path, *USERS)

    assert everywhere.ok("import", file, "--dry-run")["made"] == 2
    assert exported(everywhere) == []
    report = everywhere.ok("import", file)
    assert report == {"made": 2, "updated": 0, "skipped": 0, "refused": 0, "line": 2, "refusals": []}
    assert everywhere.ok("import", file)["skipped"] == 2

    found = exported(everywhere, "--with-secrets")
    assert sorted(user["email"] for user in found) == [EMAIL, "bob@example.com"]
    assert sorted(len(user["credentials"]) for user in found) == [0, 1]
    assert "credentials" not in exported(everywhere)[0]


def test_a_refused_line_is_told_and_the_status_is_1(commands: Commands, tmp_path: Path) -> None:
    file = write(tmp_path, *USERS, {"email": "s3cret"}, {"email": "x@example.com", "id": "s3cret"})

    done = commands("import", file)

    assert done.status == 1
    assert done.out == "Imported: 2 new, 0 updated, 0 skipped, 2 refused.\n"
    assert done.err == ("line 3: email: not a valid address\nline 4: id: not an id of the users table; see new_ids\n")
    again = commands("import", file, "--json")
    assert again.err == ""
    assert [each["line"] for each in again.json["refusals"]] == [3, 4]
    assert "s3cret" not in again.out


def test_the_options_reach_the_import(commands: Commands, tmp_path: Path) -> None:
    commands.ok("import", write(tmp_path, *USERS))
    change = write(tmp_path, USERS[0] | {"roles": ["admin"], "password": None})

    assert commands.ok("import", change, "--on-conflict", "update")["updated"] == 1
    assert commands.ok("roles", EMAIL)["roles"] == ["editor"]
    commands.ok("import", change, "--on-conflict", "update", "--with-roles")
    assert commands.ok("roles", EMAIL)["roles"] == ["admin"]
    assert commands.ok("import", write(tmp_path, *USERS), "--from-line", "2")["skipped"] == 1
    done = commands("import", change, "--on-conflict", "fail")
    assert (done.status, done.line) == (
        1, "asgi-auth: line 1: a user with this id or address exists; 0 users were imported before",
    )  # fmt: skip


def test_users_of_a_database_of_another_system(commands: Commands, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.executescript((FOLDER / "auth101.sql").read_text("utf-8"))
    connection.close()

    report = commands.ok("import", "--from", f"sqlite:///{other}", "--format", "auth101", "--role", "x=y")

    assert report["made"] == 2


def test_an_export_goes_to_a_new_file_of_its_owner(commands: Commands, tmp_path: Path) -> None:
    commands.ok("import", write(tmp_path, *USERS))
    file = tmp_path / "export.jsonl"

    assert commands.ok("export", str(file), "--with-secrets") == {"users": 2, "file": str(file)}

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text("utf-8").splitlines()) == 2
    again = commands("export", str(file))
    assert (again.status, "exists" in again.line) == (1, True)


def test_an_export_of_one_installation_is_an_import_of_another(commands: Commands, tmp_path: Path) -> None:
    commands.ok("import", write(tmp_path, *USERS))
    before = exported(commands, "--with-secrets")
    file = str(tmp_path / "export.jsonl")
    commands.ok("export", file, "--with-secrets")
    app = write_app(tmp_path, f"sqlite:///{tmp_path}/second.db")

    done = process("import", file, "--app", app, "--json", cwd=tmp_path, env={})
    assert (done.status, done.json["made"]) == (0, 2)

    after = process("export", "--with-secrets", "--app", app, cwd=tmp_path, env={})
    assert [json.loads(line) for line in after.out.splitlines()] == before


def test_an_export_that_breaks_off_leaves_no_file(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> AsyncIterator[bytes]:
        yield b"{}\n"
        raise StorageUnavailableError

    commands.ok("migrate")
    monkeypatch.setattr("asgi_auth.command.moving.export_users", broken)

    done = commands("export", str(tmp_path / "users.jsonl"))

    assert (done.status, "not available" in done.line) == (1, True)
    assert not (tmp_path / "users.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        ([], 2, "give a file, or --from URL"),
        (["users.jsonl", "--from", "sqlite:///x.db"], 2, "give a file, or --from URL"),
        (["--from", "sqlite:///x.db"], 2, "give --format"),
        (["--from", "sqlite:///x.db", "--format", "auth0"], 2, "give --format"),
        (["users.jsonl", "--format", "auth101"], 2, "give --from URL"),
        (["users.jsonl", "--role", "admin"], 2, "FLAG=ROLE"),
        (["missing.jsonl"], 1, "missing.jsonl: No such file"),
        (["users.xlsx"], 1, "users.xlsx: the name of the file ends with .jsonl"),
        (["--from", "sqlite:///missing.db", "--format", "django"], 1, "the other database cannot be opened"),
        (["--from", "mysql://x", "--format", "django"], 1, "the URL of the other database is"),
    ],
)
def test_what_cannot_be_imported_is_one_line(commands: Commands, arguments: list[str], status: int, text: str) -> None:
    done = commands("import", *arguments)

    assert (done.status, done.out) == (status, "")
    assert text in done.line
