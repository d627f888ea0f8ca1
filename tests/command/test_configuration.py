"""Commands about tables, secrets and the configuration."""

import asyncio
import json
import sqlite3
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import asgi_auth
from asgi_auth.crypto.keys import check_secret
from asgi_auth.storage.migrate import migrations
from tests.accounts.test_resealing import NEW, OLD, OTHER, fill, with_secrets
from tests.command.commands import ROOT, Commands, write_app
from tests.docs.files import DOCS

ALL = [number for number, _ in migrations()]


def test_migrate_makes_tables_once_and_needs_no_secret(everywhere: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTH_SECRET")

    assert everywhere.ok("migrate") == {"ran": ALL}
    assert everywhere.ok("migrate") == {"ran": []}
    assert everywhere("migrate").out == "The tables are up to date.\n"


def test_status_tells_what_is_there_and_what_waits(everywhere: Commands) -> None:
    if everywhere.url.startswith("sqlite"):
        Path(everywhere.url[10:]).touch()
    waiting = everywhere("status", "--json")
    assert (waiting.status, waiting.json["missing_migrations"], waiting.json["users"]) == (1, ALL, None)
    assert "Run: asgi-auth migrate" in everywhere("status").out
    everywhere.ok("migrate")
    for number in range(3):
        everywhere.ok("create-user", f"user{number}@example.com", "--no-password")
    everywhere.ok("disable", "user0@example.com")

    status = everywhere.ok("status")

    assert status == {
        "version": asgi_auth.__version__,
        "database": "sqlite" if everywhere.url.startswith("sqlite") else "postgresql",
        "missing_migrations": [],
        "users": {"active": 2, "disabled": 1, "closed": 0},
        "keys": {"secrets": 1, "signing": []},
        "reseal": 0,
    }
    assert "2 active, 1 disabled, 0 closed" in everywhere("status").out


def test_sql_is_a_script_that_makes_the_tables(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AUTH_SECRET")
    text = commands("sql").out
    assert not Path(commands.url[10:]).exists()
    connection = sqlite3.connect(tmp_path / "auth.db")
    connection.executescript(text)
    connection.close()

    assert commands.ok("migrate") == {"ran": []}
    assert commands.ok("sql")["sql"].rstrip() == text.rstrip()
    added = 'INSERT INTO "auth_migrations"'
    rest = commands("sql", "--after", str(ALL[-2])).out
    assert (text.count(added), rest.count(added)) == (len(ALL), 1)


def test_an_upgrade_runs_by_sql_what_status_names_as_missing(commands: Commands, tmp_path: Path) -> None:
    head, mark, _ = commands("sql").out.partition(f"(version, applied_at) VALUES ({ALL[-3]}, ")
    with sqlite3.connect(tmp_path / "auth.db") as connection:
        connection.executescript(f"{head}{mark}0); COMMIT;")
    missing = commands("status", "--json").json["missing_migrations"]
    before = ALL[ALL.index(missing[0]) - 1]
    with sqlite3.connect(tmp_path / "auth.db") as connection:
        connection.executescript(commands("sql", "--after", str(before)).out)

    assert missing == ALL[-2:]
    assert commands.ok("status")["missing_migrations"] == []
    guide = (DOCS / "guides" / "operating.md").read_text("utf-8")
    assert f"`migrations  missing: {ALL[-2]}, {ALL[-1]}`" in guide
    assert f"`asgi-auth sql --after {before}`" in guide


def test_a_new_secret_is_printed(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTH_SECRET")
    monkeypatch.setenv("AUTH_APP", "no:app")
    one, other = commands("secret").out.strip(), commands.ok("secret")["secret"]

    assert one != other
    for each in (one, other):
        check_secret(each.encode())


def test_secrets_are_rotated(everywhere: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    async def prepare() -> None:
        async with with_secrets(everywhere.url, OLD) as before:
            await fill(before, 3)

    asyncio.run(prepare())
    monkeypatch.setenv("AUTH_SECRET", f"{NEW},{OLD}")
    findings = {each["reason"] for each in everywhere("check", "--json").json["findings"]}
    assert "3 rows are sealed with an older secret, and cannot be read without it" in findings
    assert everywhere.ok("status")["reseal"] == 3

    assert everywhere.ok("secrets", "reseal") == {"resealed": 3, "current": 0, "lost": 0}

    monkeypatch.setenv("AUTH_SECRET", NEW)
    assert everywhere.ok("status")["reseal"] == 0
    assert not [each for each in everywhere("check", "--json").json["findings"] if each["setting"] == "secret"]
    assert everywhere("secrets", "reseal").out == "Sealed anew: 0. Sealed with the newest secret before: 3.\n"


def test_a_wrong_secret_is_found(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    async def prepare() -> None:
        async with with_secrets(commands.url, OLD) as before:
            await fill(before, 2)

    asyncio.run(prepare())
    monkeypatch.setenv("AUTH_SECRET", OTHER)

    done = commands("secrets", "reseal")
    assert (done.status, "no listed secret opens: 2" in done.out) == (1, True)
    found = commands("check")
    assert (found.status, "2 rows are sealed with a secret that is not listed" in found.out) == (1, True)


def test_check_judges_an_app_with_its_features_and_mailer(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = write_app(tmp_path, commands.url, "Totp(), SecondFactors()")
    monkeypatch.chdir(tmp_path)

    done = commands("check", app)
    assert (done.status, done.out) == (0, "No problems found.\n")
    assert done.line.startswith("asgi-auth: rows were not checked: there is no file")
    commands.ok("migrate")
    assert commands("check", "--app", app).err == ""
    assert commands.ok("check", app) == {"findings": []}


def test_check_judges_settings_of_the_environment(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    commands.ok("migrate")
    monkeypatch.setenv("AUTH_BASE_URL", "https://app.example.com")
    fine = commands("check")
    assert (fine.status, fine.out) == (0, "No problems found.\n")
    assert "only settings were checked" in fine.line
    monkeypatch.setenv("AUTH_COOKIE_DOMAIN", "com")

    found = commands("check")

    assert found.status == 1
    assert found.out.startswith("cookie_domain: com is a public suffix")
    assert "mailer" not in found.out


def test_config_shows_where_settings_come_from(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "auth.toml").write_text('[asgi_auth]\nissuer = "file"\naudience = "file"\n', "utf-8")
    monkeypatch.setenv("AUTH_CONFIG", str(tmp_path / "auth.toml"))
    monkeypatch.setenv("AUTH_AUDIENCE", "variable")
    monkeypatch.setenv("AUTH_DATABASE_URL", "postgresql://app:very-secret@db/app?sslmode=require&password=hidden")

    shown = {each["setting"]: (each["value"], each["from"]) for each in commands.ok("config")["settings"]}

    assert shown["issuer"] == ("file", str(tmp_path / "auth.toml"))
    assert shown["audience"] == ("variable", "environment")
    assert shown["access_ttl"] == (900, "default")
    assert shown["secret"] == ("1 hidden", "environment")
    text = commands("config").out
    assert "database = postgresql://app@db/app\n" in text
    assert f'issuer = "file"  ({tmp_path}/auth.toml)' in text
    assert "very-secret" not in text + json.dumps(commands.ok("config"))


def test_config_shows_the_settings_of_an_app(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = write_app(tmp_path, commands.url)
    monkeypatch.setenv("AUTH_APP", app)
    monkeypatch.chdir(tmp_path)

    shown = commands.ok("config")

    assert (shown["app"], shown["database"]) == (app, f"SQLite {tmp_path}/auth.db")
    rows = {each["setting"]: (each["value"], each["from"]) for each in shown["settings"]}
    assert (rows["enumeration"], rows["secret"]) == (("tell", app), ("1 hidden", app))


def test_the_url_of_the_database_may_be_in_a_file(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "url").write_text(commands.url + "\n")
    monkeypatch.delenv("AUTH_DATABASE_URL")
    monkeypatch.setenv("AUTH_DATABASE_URL_FILE", str(tmp_path / "url"))

    assert commands.ok("migrate") == {"ran": ALL}


def test_the_script_is_installed_by_its_name() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    assert scripts.keys() == {"asgi-auth"}
    module, _, name = scripts["asgi-auth"].partition(":")
    assert callable(getattr(import_module(module), name))


def test_an_app_may_be_named_before_or_after_the_command(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = write_app(tmp_path, commands.url).removesuffix(":auth")
    monkeypatch.delenv("AUTH_DATABASE_URL")
    monkeypatch.delenv("AUTH_SECRET")
    monkeypatch.chdir(tmp_path)

    for arguments in (
        ["--app", name, "migrate"],
        ["migrate", "--app", f"{name}:app"],
        ["end-everything", f"{name}:app"],
    ):
        assert commands(*arguments).status == 0
    assert commands("--json", "status", "--app", name).json["missing_migrations"] == []
