"""The command about invitations: `invite`."""

from argparse import ArgumentParser

from asgi_auth.auth import Auth
from asgi_auth.command.command import DONE, Command, Job
from asgi_auth.command.naming import data_of, shown_user, user_data, user_of
from asgi_auth.command.refusals import RefusedError
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Event, User


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("email", help="the address of a new user, or the id or address of one without a password")
    parser.add_argument("--role", action="append", default=[], metavar="ROLE", help="a role; may be repeated")
    parser.add_argument("--data", metavar="JSON", default="{}", help='extra fields, such as \'{"company": "x"}\'')


async def invite(job: Job) -> int:
    """Mail a link that sets a password; a user who has none yet is invited again."""
    lost: list[Event] = []
    async with job.started(creates=True) as auth:
        auth.on(events.MAIL, lost.append, outcome="failure")
        user = await _invited(job, auth)
    # The end of the block waits for the mail.
    if lost:
        raise RefusedError(f"{shown_user(user)} is invited, but the mail could not be sent; --verbose says why", "mail")
    job.output.show(user_data(user), f"Invited {shown_user(user)}.")
    return DONE


async def _invited(job: Job, auth: Auth) -> User:
    email, roles, data = job.options.email, job.options.role, data_of(job.options.data)
    if not roles and not data:
        try:
            known = await user_of(auth, email)
        except RefusedError:
            return await auth.users.invite(email)
        return await auth.users.invite_again(known.id)
    return await auth.users.invite(email, roles=roles, data=data)


COMMANDS = (Command("invite", "mail a link that sets a password, to a new user or again", invite, _arguments),)
