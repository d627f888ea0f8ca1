"""What a command is, and what it gets when it runs."""

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from asgi_auth.auth import Auth
from asgi_auth.command.output import Output
from asgi_auth.command.refusals import RefusedError, WrongUseError
from asgi_auth.command.target import Target
from asgi_auth.storage import Storage

#: Exit status: done; found something, or refused. Wrong use is 2, and an interruption is 130.
DONE, FOUND = 0, 1


@dataclass(frozen=True)
class Job:
    """One run of a command: its options, its output, the `Auth` that it works on, and the password that was read."""

    options: Namespace
    output: Output
    target: Target
    password: str | None = None

    @asynccontextmanager
    async def tables(self, *, creates: bool = False) -> AsyncIterator[Storage]:
        """Give the storage of the target, and close it. Nothing is opened yet.

        Raises WrongUseError for a database in memory, and RefusedError for a file that is not there, unless the command
        `creates` one.
        """
        storage = self.target.storage
        path = getattr(storage, "path", None)
        if path == ":memory:":
            raise WrongUseError(
                "the database is in memory, and each process has one of its own: use a file or PostgreSQL"
            )
        if path is not None and not creates and not Path(path).exists():  # noqa: ASYNC240 (nothing else runs)
            raise RefusedError(f"there is no file {path}", "no_database")
        try:
            yield storage
        finally:
            await storage.close()

    @asynccontextmanager
    async def started(self, *, reads: bool = False, creates: bool = False) -> AsyncIterator[Auth]:
        """Give the `Auth` of the target after its start, and close it.

        A command that only `reads` changes no tables: missing migrations are a StorageSetupError.
        """
        auth = self.target.auth
        async with self.tables(creates=creates) as storage:
            if reads:
                await storage.check_tables()
            async with auth:
                yield auth


def no_arguments(_: ArgumentParser) -> None:
    """Add no arguments."""


@dataclass(frozen=True)
class Command:
    """A command. Its `name` has one or two words, such as `secrets reseal`.

    `run` returns the exit status; `arguments` adds the arguments; `password`: a password is read before the run;
    `app_first`: the app may be named without `--app`, too; `alone`: the command works on no app.
    """

    name: str
    help: str
    run: Callable[[Job], Awaitable[int]]
    arguments: Callable[[ArgumentParser], None] = no_arguments
    password: bool = False
    app_first: bool = False
    alone: bool = False
