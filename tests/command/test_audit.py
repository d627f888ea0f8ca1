"""The command `audit`: records for people, as lines of JSON and as CSV, on each database."""

import csv
import io
import json
import re
from pathlib import Path

from asgi_auth.command.output import Output
from tests.command.commands import Commands
from tests.command.test_users import create, log_in
from tests.support import EMAIL

OTHER = "bob@example.com"


def lines_of(commands: Commands, *arguments: str) -> list[dict[str, object]]:
    done = commands("audit", *arguments, "--json")
    assert (done.status, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


def test_records_are_written_by_user_name_and_time(everywhere: Commands) -> None:
    user = create(everywhere)["id"]
    create(everywhere, email=OTHER)
    log_in(everywhere.url)

    everything = lines_of(everywhere)
    own = lines_of(everywhere, EMAIL)

    assert {record["user"] for record in everything} > {user}
    assert {record["user"] for record in own} == {user}
    assert own == [record for record in everything if record["user"] == user] == lines_of(everywhere, user)
    assert [record["name"] for record in lines_of(everywhere, EMAIL, "--name", "login")] == ["login"]
    assert lines_of(everywhere, "--until", "1d") == lines_of(everywhere, "--since", "2999-01-01") == []
    assert lines_of(everywhere, "--since", "1d") == everything


def test_records_are_lines_for_people_and_cells_for_spreadsheets(everywhere: Commands) -> None:
    user = create(everywhere)["id"]
    log_in(everywhere.url)

    text = everywhere("audit", user, "--name", "login").out
    rows = list(csv.DictReader(io.StringIO(everywhere("audit", user, "--format", "csv").out)))

    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d UTC  login  success  {user}\n", text)
    assert [row["name"] for row in rows] == [record["name"] for record in lines_of(everywhere, user)]


def test_a_file_is_new_and_private(commands: Commands, tmp_path: Path) -> None:
    create(commands)
    path = tmp_path / "audit.csv"

    assert commands.ok("audit", "--format", "csv", "--file", str(path)) == {"file": str(path)}
    assert (path.read_text().startswith("id,at,name,"), path.stat().st_mode & 0o777) == (True, 0o600)
    assert commands("audit", "--file", str(path)).status == 1


def test_wrong_arguments_are_refused(commands: Commands) -> None:
    create(commands)

    assert commands("audit", "--json", "eve@example.com").line == (
        '{"error": "there is no user eve@example.com", "code": "user_not_found"}'
    )
    for wrong in ("yesterday", "1900-01-01", "99999999999"):
        assert commands("audit", "--since", wrong).status == 2
    assert commands("audit", "--format", "xlsx").status == 2


def test_a_terminal_gets_no_characters_that_it_would_interpret() -> None:
    raw = io.BytesIO()

    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    terminal = Terminal(raw, "utf-8", write_through=True)
    Output(terminal, io.StringIO(), as_json=False).raw('a,"\x1b[2J\x9b"\n{"b": "ä\x9b"}\n'.encode())

    assert raw.getvalue().decode() == 'a,"\ufffd[2J\ufffd"\n{"b": "\\u00e4\\u009b"}\n'
