"""The entry point: reads the arguments, runs a command, and turns what goes wrong into one line."""

import asyncio
import logging
import os
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from asgi_auth.command.command import FOUND, Command, Job
from asgi_auth.command.commands import COMMANDS
from asgi_auth.command.output import Output
from asgi_auth.command.parser import make_parser
from asgi_auth.command.password import read_password
from asgi_auth.command.refusals import WrongUseError, line_of, refusal_of
from asgi_auth.command.target import Target
from asgi_auth.process.log import logger

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit status; wrong use is a SystemExit with the status 2."""
    options = make_parser(COMMANDS).parse_args(arguments)
    with _logged(verbose=options.verbose) as take_log:
        try:
            status = _run(options, take_log)
            sys.stdout.flush()
        except BrokenPipeError:
            _silence()
            return FOUND
        except KeyboardInterrupt:
            sys.stderr.write("asgi-auth: interrupted\n")
            return INTERRUPTED
        except Exception as error:  # noqa: BLE001 (a line in place of a traceback)
            return _refuse(error, options)
        return status


def _refuse(error: Exception, options: Namespace) -> int:
    """Write why a command was refused, and return the status. Raises SystemExit for wrong use."""
    if options.verbose:
        traceback.print_exception(error)
    refusal = refusal_of(error)
    sys.stderr.write(line_of(refusal, as_json=options.json) + "\n")
    if isinstance(error, OSError):
        _silence()
    if isinstance(refusal, WrongUseError):
        raise SystemExit(refusal.status) from None
    return refusal.status


def _run(options: Namespace, take_log: Callable[[], None]) -> int:
    """Import the app and read what a person has to type, before an event loop takes the signals; then run."""
    command: Command = options.command
    target = Target(getattr(options, "app_first", None) or options.app, os.environ)
    if command.password or (target.app is not None and not command.alone):
        target.load()
        take_log()
    password = read_password(options) if command.password else None
    job = Job(options, Output(sys.stdout, sys.stderr, as_json=options.json), target, password)
    return asyncio.run(_awaited(command, job))


async def _awaited(command: Command, job: Job) -> int:
    return await command.run(job)


@contextmanager
def _logged(*, verbose: bool) -> Iterator[Callable[[], None]]:
    """Show the log of the library if that is wished: errors have a line of their own already.

    The function that it gives does so again: an app may have configured logging when it was imported. Its handlers
    would write each line once more, and it may have disabled the logger.
    """
    log = logger.logger
    before, level = (log.handlers, log.propagate, log.disabled), log.level
    handler = logging.StreamHandler() if verbose else logging.NullHandler()

    def take() -> None:
        log.handlers, log.propagate, log.disabled = [handler], False, False
        if verbose:
            log.setLevel(logging.INFO)

    take()
    try:
        yield take
    finally:
        log.handlers, log.propagate, log.disabled = before
        log.setLevel(level)


def _silence() -> None:
    """Write what is left to nowhere: nothing reads standard output any more, and Python would complain at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
