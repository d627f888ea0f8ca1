"""The table of the command line in the documentation, made from the parser."""

from argparse import Action, ArgumentParser
from collections.abc import Iterator

from asgi_auth.command.commands import COMMANDS
from asgi_auth.command.parser import make_parser

COMMON = {"help", "app", "json", "verbose"}


def commands() -> str:
    """Return a heading for each command, with its synopsis, what it does, and its arguments."""
    return "\n\n".join(_section(name, text, parser) for name, text, parser in _parsers())


def _parsers() -> Iterator[tuple[str, str, ArgumentParser]]:
    """Yield each command with its help and its own parser."""
    parser = make_parser(COMMANDS)
    for command in COMMANDS:
        found = parser
        for word in command.name.split():
            [choices] = [action.choices for action in found._actions if action.nargs == "A..."]
            assert isinstance(choices, dict)
            found = choices[word]
        yield command.name, command.help, found


def _section(name: str, text: str, parser: ArgumentParser) -> str:
    actions = [action for action in parser._actions if action.dest not in COMMON]
    synopsis = " ".join(["asgi-auth", name, *map(_part, actions)])
    lines = [f"### {name}", f"`{synopsis}`: {text}."]
    rows = [f"| `{_shown(action)}` | {(action.help or '').replace('|', chr(92) + '|')} |" for action in actions]
    if len(rows) == 1:
        lines.append(f"`{_shown(actions[0])}`: {actions[0].help}.")
    elif rows:
        lines.append("\n".join(["| argument | meaning |", "| --- | --- |", *rows]))
    return "\n\n".join(lines)


def _shown(action: Action) -> str:
    if action.choices and not action.option_strings:
        return f"{{{','.join(map(str, action.choices))}}}"
    value = f" {action.metavar or action.dest.upper()}" if action.nargs != 0 else ""
    return f"{action.option_strings[0]}{value}" if action.option_strings else str(action.metavar or action.dest)


def _part(action: Action) -> str:
    text = _shown(action)
    if action.nargs == "*":
        return f"[{text} …]"
    return f"[{text}]" if action.option_strings or action.nargs == "?" else text
