"""The command in processes of its own: terminals, pipes, signals, and many at once."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command.commands import PASSWORD, ROOT, process, write_app
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, SECRET

Fresh = Callable[[str], str]
SECONDS = 60


class Terminal:
    """A command at a terminal: what it shows, and the keys that are pressed."""

    def __init__(self, arguments: list[str], cwd: Path, env: dict[str, str]) -> None:
        self.seen = ""
        self.status: int | None = None
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(cwd)
            # A test run in the background ignores the interrupt, and its children inherit that.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execve(sys.executable, [sys.executable, "-m", "asgi_auth", *arguments], env)

    def wait_for(self, text: str) -> None:
        """Read until a text is shown."""
        end = time.monotonic() + SECONDS
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            assert self._read(), self.seen

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def end(self) -> int:
        """Read until the command ends; return its status."""
        while self._read():
            pass
        _, state = os.waitpid(self._pid, 0)
        os.close(self._fd)
        self.status = os.waitstatus_to_exitcode(state)
        return self.status

    def kill(self) -> None:
        if self.status is None:
            os.kill(self._pid, signal.SIGKILL)
            self.end()

    def _read(self) -> bool:
        ready, _, _ = select.select([self._fd], [], [], SECONDS)
        try:
            text = os.read(self._fd, 4096).decode() if ready else ""
        except OSError:  # the end of a terminal, on Linux
            return False
        self.seen += text
        return bool(text)


@contextmanager
def terminal(*arguments: str, cwd: Path, url: str) -> Iterator[Terminal]:
    env = {"PYTHONPATH": str(ROOT), "AUTH_SECRET": SECRET, "AUTH_DATABASE_URL": url, "PATH": "/usr/bin:/bin"}
    found = Terminal(list(arguments), cwd, env)
    try:
        yield found
    finally:
        found.kill()


def test_a_person_types_the_password_twice_and_does_not_see_it(fresh: Fresh, tmp_path: Path) -> None:
    url = fresh("sqlite")
    with terminal("create-admin", EMAIL, cwd=tmp_path, url=url) as typed:
        typed.wait_for("Password: ")
        typed.press(f"{PASSWORD}\n")
        typed.wait_for("Password again: ")
        typed.press(f"{PASSWORD}\n")

        assert typed.end() == 0
        assert f"Created {EMAIL}" in typed.seen
        assert PASSWORD not in typed.seen
    with terminal("set-password", EMAIL, cwd=tmp_path, url=url) as typed:
        for prompt, text in (("Password: ", PASSWORD), ("Password again: ", "another battery")):
            typed.wait_for(prompt)
            typed.press(f"{text}\n")

        assert typed.end() == 1
        assert "asgi-auth: the two passwords differ" in typed.seen


@pytest.mark.parametrize(
    ("key", "status", "said"), [("\x03", 130, "interrupted"), ("\x04", 1, "no password was given")]
)
def test_a_person_can_stop_at_the_password(key: str, status: int, said: str, fresh: Fresh, tmp_path: Path) -> None:
    with terminal("create-admin", EMAIL, cwd=tmp_path, url=fresh("sqlite")) as typed:
        typed.wait_for("Password: ")
        typed.press(key)

        assert typed.end() == status
        assert f"asgi-auth: {said}" in typed.seen
        assert "Traceback" not in typed.seen
    assert not list(tmp_path.glob("auth.db*"))


def test_without_a_terminal_there_is_no_prompt(fresh: Fresh, tmp_path: Path) -> None:
    done = process("create-admin", EMAIL, stdin=PASSWORD, cwd=tmp_path, env={"AUTH_DATABASE_URL": fresh("sqlite")})

    assert (done.status, "--password-stdin" in done.line) == (2, True)
    assert not list(tmp_path.glob("auth.db*"))


def test_progress_is_shown_to_a_person_alone(fresh: Fresh, tmp_path: Path) -> None:
    url = fresh("sqlite")
    env = {"AUTH_DATABASE_URL": url}
    assert process("migrate", cwd=tmp_path, env=env).status == 0

    for words, label in (("secrets reseal", "resealed"), ("end-everything", "ended")):
        quiet = process(*words.split(), cwd=tmp_path, env=env)
        with terminal(*words.split(), cwd=tmp_path, url=url) as seen:
            assert seen.end() == 0

        assert (quiet.status, quiet.err) == (0, "")
        assert f"\r\x1b[K{label} 0" in seen.seen
        assert seen.seen.endswith(quiet.out.replace("\n", "\r\n"))


def test_the_installed_script_finds_an_app_in_the_working_directory(fresh: Fresh, tmp_path: Path) -> None:
    app = write_app(tmp_path, fresh("sqlite"))
    # As a script does: the working directory is not on the path of Python.
    line = [sys.executable, "-P", "-c", "from asgi_auth.command.main import main; raise SystemExit(main())"]

    done = subprocess.run(
        [*line, "migrate", "--app", app],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Ran the migrations 1, 2")


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "asgi_auth", "sql"]
    env = {"PYTHONPATH": str(ROOT), "AUTH_DATABASE_URL": "sqlite:///x.db", "PATH": "/usr/bin:/bin"}
    reader, writer = os.pipe()
    os.close(reader)

    done = subprocess.run(line, stdout=writer, stderr=subprocess.PIPE, cwd=tmp_path, env=env, check=False)
    os.close(writer)

    assert (done.returncode, done.stderr) == (1, b"")


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "asgi_auth", "secret"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            line, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=False
        )

    assert (done.returncode, done.stderr) == (1, b"asgi-auth: No space left on device\n")


APP = """
import asyncio, pathlib
async def end_everything(progress):
    pathlib.Path("begun").touch()
    await asyncio.sleep(3600)
auth.sessions.end_everything = end_everything
"""


def test_an_interrupted_command_says_so_in_one_line(fresh: Fresh, tmp_path: Path) -> None:
    app = write_app(tmp_path, fresh("sqlite"), after=APP)
    (tmp_path / "auth.db").touch()
    with terminal("end-everything", app, cwd=tmp_path, url="") as typed:
        end = time.monotonic() + SECONDS
        while not (tmp_path / "begun").exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        typed.press("\x03")

        assert typed.end() == 130
        assert typed.seen.endswith("\r\x1b[Kasgi-auth: interrupted\r\n")
        assert "Traceback" not in typed.seen


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
def test_of_many_that_create_one_administrator_one_does(driver: str, fresh: Fresh, tmp_path: Path) -> None:
    app = write_app(tmp_path, fresh(driver))

    def create(number: int) -> tuple[int, str]:
        address = EMAIL if number % 2 else EMAIL.upper()
        arguments = ("create-admin", address, "--password-stdin", "--json", "--app", app)
        done = process(*arguments, stdin=PASSWORD, cwd=tmp_path, env={})
        return done.status, json.loads(done.out)["id"] if done.status == 0 else json.loads(done.line)["code"]

    with ThreadPoolExecutor(4) as pool:
        done = sorted(pool.map(create, range(4)))

    assert [status for status, _ in done] == [0, 1, 1, 1]
    assert {code for _, code in done[1:]} == {"user_exists"}
    roles = process("roles", EMAIL, "--json", "--app", app, cwd=tmp_path, env={})
    assert (json.loads(roles.out)["id"], json.loads(roles.out)["roles"]) == (done[0][1], ["admin"])
