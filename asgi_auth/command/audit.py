"""The command about audit records: `audit`."""

from argparse import ArgumentParser
from typing import get_args

from asgi_auth.auth import Auth
from asgi_auth.command.command import DONE, Command, Job
from asgi_auth.command.files import new_file
from asgi_auth.command.naming import user_of
from asgi_auth.command.refusals import RefusedError
from asgi_auth.command.times import past_seconds_of, shown_time
from asgi_auth.events.audit_export import Filters, Format, audit_file, audit_pages
from asgi_auth.model.records import AuditRecord
from asgi_auth.model.user_agent import device_name


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("user", nargs="?", help="the id or the address of the user; without it, all records")
    parser.add_argument("--name", help="only the events with this name, such as login")
    parser.add_argument("--since", metavar="TIME", help="from this time on: 2026-01-31T12:00Z, or 7d: seven days ago")
    parser.add_argument("--until", metavar="TIME", help="before this time")
    parser.add_argument(
        "--format", choices=get_args(Format), metavar="FORMAT",
        help=f"{' or '.join(get_args(Format))}, in place of lines for people; --json is the same as jsonl",
    )  # fmt: skip
    parser.add_argument("--file", help="a new file; without it, the records are written to standard output")


async def audit(job: Job) -> int:
    """Write the audit records, the newest first."""
    options = job.options
    async with job.started(reads=True) as auth:
        filters = Filters(
            user_id=None if options.user is None else await _user_id(auth, options.user),
            name=options.name,
            since=0 if options.since is None else past_seconds_of(options.since, auth.now()),
            until=None if options.until is None else past_seconds_of(options.until, auth.now()),
        )
        if options.file is not None:
            await _write(job, auth, filters)
        elif options.format or job.output.as_json:
            async for part in audit_file(auth.storage, options.format or "jsonl", filters):
                job.output.raw(part)
        else:
            async for page in audit_pages(auth.storage, filters):
                for record in page:
                    job.output.line(_line(record))
    return DONE


async def _user_id(auth: Auth, text: str) -> str:
    """Return the id of a user, who may be deleted: records stay. Raises RefusedError for an unknown address."""
    try:
        return (await user_of(auth, text)).id
    except RefusedError:
        if "@" in text or not auth.storage.is_user_id(text):
            raise
        return text


async def _write(job: Job, auth: Auth, filters: Filters) -> None:
    name = job.options.file
    with new_file(name) as file:
        async for part in audit_file(auth.storage, job.options.format or "jsonl", filters):
            file.write(part)
    job.output.show({"file": name}, f"Wrote {name}.")


def _line(record: AuditRecord) -> str:
    about = record.user_id or "no user"
    by = f"by {record.actor}" if record.actor else ""
    outcome = record.outcome if record.outcome == "success" else f"{record.outcome} ({record.code})"
    count = f"{record.count} times" if record.count > 1 else ""
    client = f"{record.address}  {device_name(record.user_agent) if record.user_agent else ''}".strip()
    parts = (shown_time(record.at), record.name, outcome, count, about, by, client)
    return "  ".join(filter(None, parts))


COMMANDS = (Command("audit", "write audit records for people, as CSV, or as lines of JSON", audit, _arguments),)
