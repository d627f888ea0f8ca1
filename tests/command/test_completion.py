"""Completion of a shell: the scripts run in bash and in zsh, and know all commands and arguments."""

import shutil
import subprocess
from pathlib import Path

import pytest

from asgi_auth.command.commands import COMMANDS
from asgi_auth.command.completion import script
from asgi_auth.command.parser import make_parser
from tests.command.commands import Commands

#: What bash does when a key asks for completion.
ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_asgi_auth
printf '%s\\n' "${COMPREPLY[@]}"
complete -p asgi-auth >&2
"""
#: Types each text into an interactive zsh, asks for completion by the tabulator, and prints the line that this makes.
TYPE = """
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; autoload -Uz compinit; compinit -D -u; source '$1
zpty -w shell 'show() { print -r -- "line <$BUFFER>"; BUFFER=; zle accept-line }; zle -N show; bindkey "^X" show'
zpty -w shell 'setopt no_beep; print read''y'
zpty -r shell seen '*ready*'
shift
for text in "$@"; do
    zpty -w -n shell "$text"$'\\t\\x18'
    zpty -r shell seen '*line <*>*'
    print -r -- "${${seen#*line <}%%>*}"
done
zpty -d shell
"""
COMMON = {"-h", "--help", "--app", "--json", "--verbose"}


@pytest.fixture
def bash(tmp_path: Path) -> Path:
    path = tmp_path / "completion.bash"
    path.write_text(script(make_parser(COMMANDS), "bash"), "utf-8")
    return path


def completed(path: Path, *words: str) -> set[str]:
    """Return the candidates of bash for the last of these words."""
    command = ["bash", "--noprofile", "--norc", "-uc", ASK, "bash", str(path), "asgi-auth", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    assert done.stderr == "complete -o default -F _asgi_auth asgi-auth\n"
    return set(done.stdout.split())


def test_all_commands_are_candidates(bash: Path) -> None:
    names = {command.name.partition(" ")[0] for command in COMMANDS}

    assert completed(bash, "") == names | COMMON | {"--version"}
    assert completed(bash, "imp") == {"import"}
    assert completed(bash, "--json", "create-") == {"create-user", "create-admin"}
    assert completed(bash, "secrets", "") == {"reseal", "-h", "--help"}
    assert completed(bash, "secrets", "reseal", "--v") == {"--verbose"}


def test_options_and_their_values_are_candidates(bash: Path) -> None:
    assert completed(bash, "disable", "--") == {"--reason", "--until", "--tell"} | COMMON - {"-h"}
    assert completed(bash, "import", "--format", "f") == {"firebase", "fastapi-users"}
    assert completed(bash, "import", "users.csv", "--on-conflict", "") == {"skip", "update", "fail"}
    assert completed(bash, "completion", "") >= {"bash", "zsh"}


def test_the_value_of_an_option_is_no_command(bash: Path) -> None:
    assert completed(bash, "--app", "import", "export", "--w") == {"--with-secrets"}
    # The shell completes names of files.
    assert completed(bash, "--app", "") == completed(bash, "import", "--from", "x") == set()


def test_zsh_completes_what_is_typed(tmp_path: Path) -> None:
    zsh, path = shutil.which("zsh"), tmp_path / "completion.zsh"
    assert zsh is not None, "zsh is missing: run `make zsh`"
    path.write_text(script(make_parser(COMMANDS), "zsh"), "utf-8")
    lines = {
        "imp": "import ",
        "secrets r": "secrets reseal ",
        "import --format fi": "import --format firebase ",
        "--app import export --with": "--app import export --with-secrets ",
        "nothing": "nothing",
    }

    typed = [f"asgi-auth {line}" for line in lines]
    done = subprocess.run(
        [zsh, "-fc", TYPE, "zsh", path, *typed], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )

    assert done.stdout.splitlines() == [f"asgi-auth {line}" for line in lines.values()]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_command_prints_the_script(commands: Commands, shell: str) -> None:
    done = commands("completion", shell)

    assert (done.status, done.out.rstrip()) == (0, script(make_parser(COMMANDS), shell).rstrip())
    assert commands.ok("completion", shell)["script"].startswith("_asgi_auth_candidates()")
    assert commands("completion", "csh").status == 2
