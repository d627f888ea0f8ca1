"""Commands about many users: `import` and `export`."""

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, get_args

from asgi_auth.command.command import DONE, FOUND, Command, Job
from asgi_auth.command.files import new_file
from asgi_auth.command.refusals import RefusedError, WrongUseError
from asgi_auth.importing import FileError, ImportReport, ImportStoppedError, Refusal, export_users
from asgi_auth.importing.calls import import_users
from asgi_auth.importing.databases import SYSTEMS, import_database
from asgi_auth.importing.formats import FORMATS
from asgi_auth.importing.importer import OnConflict


def _import_arguments(parser: ArgumentParser) -> None:
    formats = list(dict.fromkeys([*FORMATS, *SYSTEMS]))
    parser.add_argument("file", nargs="?", help="a file of users: .jsonl, .ndjson, .csv or .json")
    parser.add_argument("--from", dest="source", metavar="URL", help="a database of another system, which is only read")
    parser.add_argument("--format", choices=formats, metavar="FORMAT", help=f"one of {', '.join(formats)}")
    parser.add_argument("--table", help="the users table of the other database, if it has not the usual name")
    parser.add_argument("--dry-run", action="store_true", help="check everything, and store nothing")
    parser.add_argument(
        "--on-conflict", choices=get_args(OnConflict), default="skip", metavar="RULE",
        help="what happens to users that exist: skip (the default), update or fail",
    )  # fmt: skip
    parser.add_argument("--from-line", type=int, default=1, metavar="N", help="leave out the lines before this one")
    parser.add_argument("--with-roles", action="store_true", help="an update sets roles and status, too")
    parser.add_argument(
        "--with-credentials", action="store_true",
        help="an update sets credentials and whether the address is verified, too",
    )  # fmt: skip
    parser.add_argument("--new-ids", action="store_true", help="give all users new ids")
    parser.add_argument(
        "--role", action="append", default=[], metavar="FLAG=ROLE",
        help="give a role for a flag or role of the other system, such as is_superuser=admin; may be repeated",
    )  # fmt: skip
    parser.add_argument("--hash-config", metavar="FILE", help="the hash parameters of a Firebase project")


async def import_(job: Job) -> int:
    """Import users from a file or from a database of another system; 1 if some were refused."""
    options = job.options
    if (options.file is None) == (options.source is None):
        raise WrongUseError("give a file, or --from URL")
    call = _of_database(options) if options.source is not None else _of_file(options)
    try:
        async with job.started(creates=True) as auth:
            with job.output.progress("Importing") as bar:
                report = await call(
                    auth=auth,
                    progress=lambda report: bar.update(report.read, report.part),
                    refused=lambda refusal: _tell(job, refusal),
                )
    except ImportStoppedError as error:
        raise RefusedError(f"{error}; {error.report.made} users were imported before", "conflict") from None
    except FileError as error:
        raise RefusedError(f"{options.file}: {error}", "file") from None
    job.output.show(_data(report), _text(report, dry_run=options.dry_run))
    return FOUND if report.refused else DONE


def _of_file(options: Namespace) -> Callable[..., Any]:
    if options.format is not None and options.format not in FORMATS:
        raise WrongUseError(f"the format {options.format} is one of databases: give --from URL")
    firebase = Path(options.hash_config).read_text("utf-8") if options.hash_config else ""
    given = _common(options) | {"format": options.format or "native", "from_line": options.from_line}
    return lambda **more: import_users(source=options.file, firebase=firebase, **given, **more)


def _of_database(options: Namespace) -> Callable[..., Any]:
    if options.format not in SYSTEMS:
        raise WrongUseError(f"give --format, one of {', '.join(SYSTEMS)}")
    given = _common(options) | {"format": options.format, "table": options.table}
    return lambda **more: import_database(url=options.source, **given, **more)


def _common(options: Namespace) -> dict[str, Any]:
    roles = dict(each.partition("=")[::2] for each in options.role)
    if not all(roles.values()):
        raise WrongUseError("--role is FLAG=ROLE, such as is_superuser=admin")
    return {
        "dry_run": options.dry_run,
        "on_conflict": options.on_conflict,
        "with_roles": options.with_roles,
        "with_credentials": options.with_credentials,
        "new_ids": options.new_ids,
        "roles": roles,
    }


def _tell(job: Job, refusal: Refusal) -> None:
    if not job.output.as_json:
        job.output.note(f"line {refusal.line}: {refusal.reason}")


def _data(report: ImportReport) -> dict[str, Any]:
    refusals = [refusal._asdict() for refusal in report.refusals]
    return {name: value for name, value in asdict(report).items() if name != "part"} | {"refusals": refusals}


def _text(report: ImportReport, *, dry_run: bool) -> str:
    begin = "Without --dry-run, there would be" if dry_run else "Imported:"
    numbers = f"{report.made} new, {report.updated} updated, {report.skipped} skipped, {report.refused} refused"
    return f"{begin} {numbers}."


def _export_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", help="a new file; without it, the users are written to standard output")
    parser.add_argument(
        "--with-secrets", action="store_true",
        help="write password hashes, keys, and keys of authenticator apps in plain text, too",
    )  # fmt: skip


async def export(job: Job) -> int:
    """Write all users as lines of JSON, as `import` reads them."""
    async with job.started(reads=True) as auth:
        lines = export_users(auth, secrets=job.options.with_secrets)
        if job.options.file is None:
            async for line in lines:
                job.output.raw(line)
            return DONE
        total = await auth.users.count()
        with new_file(job.options.file) as file, job.output.progress("Exporting", total) as bar:
            number = await _write(lines, file, bar.update)
    job.output.show({"users": number, "file": job.options.file}, f"Exported {number} users to {job.options.file}.")
    return DONE


async def _write(lines: AsyncIterator[bytes], file: BinaryIO, update: Callable[[int], None]) -> int:
    number = 0
    async for line in lines:
        file.write(line)
        number += 1
        update(number)
    return number


COMMANDS = (
    Command("import", "import users from a file, or from a database of another system", import_, _import_arguments),
    Command("export", "write all users as lines of JSON, as import reads them", export, _export_arguments),
)
