"""Commands about sessions: `sessions` and `end-everything`."""

from argparse import ArgumentParser

from asgi_auth.command.command import DONE, Command, Job
from asgi_auth.command.naming import add_user, shown_user, user_of
from asgi_auth.command.refusals import RefusedError, WrongUseError
from asgi_auth.command.times import shown_time
from asgi_auth.errors import SessionNotFoundError
from asgi_auth.model.records import Session
from asgi_auth.model.user_agent import device_name


def _sessions_arguments(parser: ArgumentParser) -> None:
    add_user(parser)
    parser.add_argument("--end", action="store_true", help="end the sessions")
    parser.add_argument("--only", metavar="ID", help="with --end: only the session with this id")


async def sessions(job: Job) -> int:
    """Show the live sessions of a user, or end them."""
    options = job.options
    if options.only and not options.end:
        raise WrongUseError("--only belongs to --end")
    async with job.started(reads=not options.end) as auth:
        user = await user_of(auth, options.user)
        if options.end:
            ended = list(await auth.users.end_sessions(user.id, only=options.only))
            if options.only and not ended:
                raise RefusedError(f"{shown_user(user)} has no live session {options.only}", SessionNotFoundError.code)
            job.output.show({"ended": ended}, f"Ended sessions of {shown_user(user)}: {len(ended)}.")
            return DONE
        found = await auth.users.sessions(user.id)
    lines = [
        f"{each.id}  begun {shown_time(each.created_at)}, used {shown_time(each.last_used_at)}  "
        f"{device_name(each.user_agent)}  {each.address}".rstrip()
        for each in found
    ]
    text = "\n".join(lines) or f"{shown_user(user)} has no live sessions."
    job.output.show({"sessions": [_data(each) for each in found]}, text)
    return DONE


def _data(session: Session) -> dict[str, object]:
    return {
        "id": session.id,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "expires_at": session.expires_at,
        "amr": list(session.amr),
        "device": device_name(session.user_agent),
        "user_agent": session.user_agent,
        "address": session.address,
    }


async def end_everything(job: Job) -> int:
    """End all sessions and void all mailed tokens."""
    async with job.started() as auth:
        with job.output.progress("ended") as progress:
            ended = await auth.sessions.end_everything(progress.update)
    job.output.show({"ended": ended}, f"Ended sessions and voided tokens: {ended}.")
    return DONE


COMMANDS = (
    Command("sessions", "show the live sessions of a user, or end them", sessions, _sessions_arguments),
    Command(
        "end-everything",
        "end all sessions and void all mailed tokens, as after a restore",
        end_everything,
        app_first=True,
    ),
)
