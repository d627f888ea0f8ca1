"""The command about completion of a shell: `completion`. Its script is made from the arguments of all commands."""

from argparse import Action, ArgumentParser, _SubParsersAction
from collections.abc import Iterable, Iterator

from asgi_auth.command.command import DONE, Command, Job

#: What both shells run: it takes the words before the one at the cursor, and writes the candidates for that one.
#: It knows the command by the words so far, without the values of options.
CANDIDATES = """\
_asgi_auth_candidates() {{
    local command='' previous='' word
    for word in "$@"; do
        case "$command:$previous" in
            {valued}) previous=''; continue ;;
        esac
        case "$command:$word" in
            {names}) command="${{command:+$command }}$word" ;;
        esac
        previous="$word"
    done
    case "$command:$previous" in
{values}
        {valued}) return ;;
    esac
    case "$command" in
{words}
    esac
}}
"""
#: No candidates: the shell completes names of files.
BASH = """\
_asgi_auth() {
    local IFS=$' \\t\\n'
    local words="$(_asgi_auth_candidates "${COMP_WORDS[@]:1:COMP_CWORD-1}")"
    COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _asgi_auth asgi-auth
"""
ZSH = """\
_asgi_auth() {
    local -a found
    found=(${=$(_asgi_auth_candidates "${(@)words[2,CURRENT-1]}")})
    if (( $#found )); then compadd -a found; else _files; fi
}
compdef _asgi_auth asgi-auth
"""
SHELLS = {"bash": BASH, "zsh": ZSH}


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="the shell")


async def completion(job: Job) -> int:
    """Write the script."""
    text = script(job.options.parser, job.options.shell)
    job.output.show({"script": text}, text.rstrip())
    return DONE


def script(parser: ArgumentParser, shell: str) -> str:
    """Return the script that completes the arguments of a parser and of its commands."""
    found = dict(_commands(parser, ""))
    names = [f"{command.rpartition(' ')[0]}:{command.rpartition(' ')[2]}" for command in found if command]
    valued = {f"{command}:{option}": action for command, each in found.items() for option, action in _valued(each)}
    chosen = {place: action for place, action in valued.items() if action.choices}
    parts = {
        "names": _pattern(names),
        "valued": _pattern(valued),
        "values": "\n".join(_case(place, map(str, action.choices or ())) for place, action in chosen.items()),
        "words": "\n".join(_case(command, _words(each)) for command, each in found.items()),
    }
    return CANDIDATES.format(**parts) + SHELLS[shell]


def _commands(parser: ArgumentParser, name: str) -> Iterator[tuple[str, ArgumentParser]]:
    """Yield the parsers of all commands by their names; the name of the whole is empty."""
    yield name, parser
    for action in parser._actions:  # noqa: SLF001 (no other way to read them)
        if isinstance(action, _SubParsersAction):
            for word, inner in action.choices.items():
                yield from _commands(inner, f"{name} {word}".lstrip())


def _valued(parser: ArgumentParser) -> Iterator[tuple[str, Action]]:
    """Yield the options that take a value."""
    for action in parser._actions:  # noqa: SLF001 (as above)
        if action.nargs != 0:
            yield from ((option, action) for option in action.option_strings)


def _words(parser: ArgumentParser) -> Iterator[str]:
    """Yield the options of a command, the commands below it, and the choices of its other arguments."""
    for action in parser._actions:  # noqa: SLF001 (as above)
        yield from action.option_strings or map(str, action.choices or ())


def _pattern(texts: Iterable[str]) -> str:
    return "|".join(f"'{text}'" for text in texts)


def _case(text: str, words: Iterable[str]) -> str:
    return f"        '{text}') echo {' '.join(words)}; return ;;"


COMMANDS = (
    Command("completion", "print a script that completes arguments in a shell", completion, _arguments, alone=True),
)
