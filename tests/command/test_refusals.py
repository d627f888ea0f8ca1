"""What goes wrong is one line and an exit status: never a traceback, and nothing secret."""

import json
from pathlib import Path

import pytest

import asgi_auth
from asgi_auth.command.main import main
from tests.cluster import free_port
from tests.command.commands import PASSWORD, Commands, write_app
from tests.support import EMAIL, SECRET

STDIN = ("--password-stdin",)


def test_an_unknown_user_is_named(commands: Commands) -> None:
    commands.ok("migrate")
    for arguments in (
        ["roles", "b@example.com"],
        ["sessions", "0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5b"],
        ["enable", "x"],
    ):
        done = commands(*arguments)
        assert (done.status, done.line) == (1, f"asgi-auth: there is no user {arguments[1]}")
    done = commands("set-password", "b@example.com", *STDIN, stdin=PASSWORD)
    assert (done.status, done.line) == (1, "asgi-auth: there is no user b@example.com")


def test_a_taken_address_is_refused_with_the_way_on(commands: Commands) -> None:
    for name in ("create-user", "create-admin"):
        commands(name, EMAIL, *STDIN, stdin=PASSWORD)

        done = commands(name, "ADA@example.com", *STDIN, "--json", stdin=PASSWORD)

        assert done.status == 1
        assert json.loads(done.line)["code"] == "user_exists"
    assert "asgi-auth roles ADA@example.com admin" in done.line
    assert commands.ok("status")["users"]["active"] == 1


def test_create_admin_of_an_app_says_how_to_go_on(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = write_app(tmp_path, commands.url)
    commands("create-user", EMAIL, *STDIN, "--app", app, stdin=PASSWORD)
    taken = commands("create-admin", EMAIL, *STDIN, "--app", app, stdin=PASSWORD)
    assert taken.line.endswith(f"asgi-auth roles {EMAIL} admin --app {app}")

    module = tmp_path / f"{app.partition(':')[0]}.py"
    other = tmp_path / "without_administrators.py"
    other.write_text(
        module.read_text("utf-8").replace("Settings(", "Settings(permissions={'editor': ['posts:edit']}, ")
    )
    refused = commands("create-admin", "b@example.com", *STDIN, "--app", "without_administrators", stdin=PASSWORD)
    assert refused.line == 'asgi-auth: the setting permissions has no role "admin". Its roles are: editor.'
    assert refused.status == 1


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        ("password", "too common"),
        ("x", "8 characters or more"),
        ("", "is empty"),
        ("\n", "is empty"),
        (f"{PASSWORD}\nsecond line\n", "more than one line"),
        (b"\xff\xfe" * 8, "not UTF-8"),
        ("ada@example.com", "address"),
    ],
)
def test_a_refused_password_has_its_reasons(stdin: str | bytes, said: str, commands: Commands) -> None:
    for name in ("create-user", "create-admin"):
        done = commands(name, EMAIL, *STDIN, stdin=stdin)
        assert (done.status, said in done.line) == (1, True), done
    commands.ok("migrate")
    assert commands.ok("status")["users"]["active"] == 0


def test_reasons_are_members_of_the_json(commands: Commands) -> None:
    done = commands("create-user", EMAIL, *STDIN, "--json", stdin="password")

    assert done.status == 1
    assert json.loads(done.line) == {
        "error": "the password is refused: This password is too common and easy to guess.",
        "code": "password_validation",
        "errors": {"password": ["This password is too common and easy to guess."]},
    }


@pytest.mark.parametrize("address", ["ada", "", "a@b@c", "ada@example.com\x00"])
def test_an_address_that_is_none_is_refused(address: str, commands: Commands) -> None:
    done = commands("create-user", address, *STDIN, stdin=PASSWORD)

    assert (done.status, "email" in done.line) == (1, True)


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [("{", 2, "not JSON"), ("[]", 2, "not a JSON object"), ('{"company": 1}', 1, "company: There is no such field.")],
)
def test_extra_fields_that_are_none_are_refused(data: str, status: int, said: str, commands: Commands) -> None:
    done = commands("create-user", EMAIL, *STDIN, "--data", data, stdin=PASSWORD)

    assert (done.status, said in done.line) == (status, True)


def test_no_database_is_wrong_use(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTH_DATABASE_URL")

    done = commands("status")

    assert (done.status, done.line) == (
        2,
        "asgi-auth: name your app by --app module:name or AUTH_APP, or set AUTH_DATABASE_URL",
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AUTH_SECRET", "", "a secret is required: set AUTH_SECRET, or secret_file in the TOML file"),
        ("AUTH_SECRET", "short", "the secret has 5 bytes"),
        ("AUTH_ACCES_TTL", "1", "did you mean AUTH_ACCESS_TTL?"),
        ("AUTH_ACCESS_TTL", "soon", "AUTH_ACCESS_TTL: give a whole number, such as "),
        ("AUTH_CONFIG", "missing.toml", "'missing.toml' cannot be read"),
        ("AUTH_DATABASE_URL", "mysql://u:very-secret@h/d", "the storage URL is sqlite:///path"),
        ("AUTH_DATABASE_URL", "postgresql+asyncpg://u:very-secret@h/d", "write postgresql:// in place of postgresql+"),
        ("AUTH_BASE_URL", "app.example.com", "such as 'https://app.example.com'"),
        ("AUTH_DATABASE_URL", "sqlite://", "is in memory"),
        ("AUTH_APP", "missing:auth", "there is no module 'missing'"),
    ],
)
def test_a_configuration_that_is_not_valid_is_wrong_use(
    name: str, value: str, said: str, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    for arguments in (["status"], ["create-user", EMAIL, *STDIN], ["purge"]):
        done = commands(*arguments, stdin=PASSWORD)
        assert (done.status, said in done.line) == (2, True), done
        assert "very-secret" not in done.err


def test_a_database_that_is_away_is_named(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"postgresql://app:very-secret@127.0.0.1:{free_port()}/none"
    monkeypatch.setenv("AUTH_DATABASE_URL", url)

    for name in ("migrate", "status", "purge"):
        done = commands(name)
        assert (done.status, "the database is not available" in done.line) == (1, True)
        assert "very-secret" not in done.err


def test_a_database_that_refuses_says_what_to_do(
    everywhere: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = everywhere.url.replace("//postgres:secret@", "//postgres:wrong@")
    if wrong == everywhere.url:
        (tmp_path / "text.db").write_text("this is no database, whatever its name says " * 99)
        wrong = f"sqlite:///{tmp_path}/text.db"
    monkeypatch.setenv("AUTH_DATABASE_URL", wrong)

    done = everywhere("status")

    assert done.status == 1
    assert done.line.startswith("asgi-auth: the database ")


def test_tables_that_are_missing_are_named_and_reading_makes_none(
    everywhere: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    if everywhere.url.startswith("sqlite"):
        Path(everywhere.url[10:]).touch()
    monkeypatch.setenv("AUTH_AUTO_MIGRATE", "off")

    for arguments in (["sessions", EMAIL], ["roles", EMAIL], ["roles", EMAIL, "x"], ["purge"], ["end-everything"]):
        done = everywhere(*arguments)
        assert (done.status, "asgi-auth migrate" in done.line) == (1, True), done
    done = everywhere("create-admin", EMAIL, *STDIN, stdin=PASSWORD)
    assert (done.status, "asgi-auth migrate" in done.line) == (1, True), done
    monkeypatch.delenv("AUTH_AUTO_MIGRATE")
    for arguments in (["sessions", EMAIL], ["roles", EMAIL]):
        assert "asgi-auth migrate" in everywhere(*arguments).line
    assert everywhere("status", "--json").json["missing_migrations"]


def test_a_file_that_is_not_there_is_not_made(commands: Commands) -> None:
    for arguments in (["status"], ["purge"], ["sessions", EMAIL], ["roles", EMAIL, "x"], ["secrets", "reseal"]):
        done = commands(*arguments)
        assert (done.status, "there is no file" in done.line) == (1, True)
    assert not Path(commands.url[10:]).exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("raise KeyError('AUTH_KEY')", "broken cannot be imported: KeyError: 'AUTH_KEY'"),
        ("import sys; sys.exit('no')", "broken cannot be imported: SystemExit: no"),
        ("import no_such_package", "broken cannot be imported: No module named 'no_such_package'"),
        ("def (", "broken cannot be imported: SyntaxError"),
        ("auth = 1", "broken:auth is not an Auth, AuthApp or AuthMiddleware"),
        ("", "broken:auth is not an Auth"),
    ],
)
def test_an_app_that_is_none_is_wrong_use(
    content: str, said: str, commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.py").write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "broken", raising=False)

    for arguments in (["check", "broken"], ["status", "--app", "broken:auth"], ["--app", "broken", "purge"]):
        monkeypatch.delitem(__import__("sys").modules, "broken", raising=False)
        done = commands(*arguments)
        assert (done.status, said in done.line) == (2, True), done


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["cure"],
        ["secrets"],
        ["roles"],
        ["roles", EMAIL, "x", "--none"],
        ["create-user", EMAIL, "--password", "x"],
        ["create-user", EMAIL, "--pass", "x"],
        ["check", "a:b", "c:d"],
        ["--app"],
    ],
    ids=str,
)
def test_wrong_arguments_are_wrong_use(arguments: list[str], commands: Commands) -> None:
    done = commands(*arguments)

    assert done.status == 2
    assert "Traceback" not in done.err
    assert done.err


def test_a_mistake_of_the_app_is_one_line_and_a_traceback_on_demand(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = "async def run(progress):\n    raise TypeError('mine\\nof two lines')\nauth.purger.run = run\n"
    app = write_app(tmp_path, commands.url, after=after)
    monkeypatch.chdir(tmp_path)
    commands.ok("migrate")

    done = commands("purge", "--app", app)

    assert done.status == 1
    assert done.line == "asgi-auth: failed by a mistake in the library or in your app: TypeError: mine of two lines"
    assert "Traceback" in commands("purge", "--app", app, "--verbose").err


def test_nothing_secret_is_printed(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_SECRET", f"{SECRET},{SECRET[::-1]}")
    said = []
    for arguments in (
        ["create-admin", EMAIL, *STDIN], ["set-password", EMAIL, *STDIN], ["status"], ["config"], ["check"],
        ["roles", EMAIL], ["sessions", EMAIL], ["secrets", "reseal"], ["create-user", EMAIL, *STDIN],
    ):  # fmt: skip
        for json_too in ([], ["--json"]):
            done = commands(*arguments, *json_too, "--verbose", stdin=PASSWORD)
            said.append(done.out + done.err)

    for hidden in (SECRET, SECRET[::-1], PASSWORD, "argon2id"):
        assert hidden not in "".join(said)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"asgi-auth {asgi_auth.__version__}\n")
