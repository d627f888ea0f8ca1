"""Commands about users: `create-user`, `create-admin`, `set-password`, `roles`, `disable` and `enable`."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence

import msgspec

from asgi_auth.auth import Auth
from asgi_auth.command.command import DONE, Command, Job
from asgi_auth.command.naming import add_user, data_of, shown_user, user_data, user_of
from asgi_auth.command.refusals import RefusedError, WrongUseError
from asgi_auth.command.times import seconds_of, shown_time
from asgi_auth.errors import UserExistsError, UserIdExistsError
from asgi_auth.model.ban import Ban
from asgi_auth.model.records import User

#: The role of administrators, unless a feature names another one.
ADMIN = "admin"


def _new_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("email", help="the address of the new user")
    parser.add_argument("--id", help="the id, for a user that had one elsewhere")
    parser.add_argument("--data", metavar="JSON", default="{}", help='extra fields, such as \'{"company": "x"}\'')
    parser.add_argument("--no-password", action="store_true", help="the user sets a password by a reset")


def _user_arguments(parser: ArgumentParser) -> None:
    _new_arguments(parser)
    parser.add_argument("--role", action="append", default=[], metavar="ROLE", help="a role; may be repeated")
    parser.add_argument("--verified", action="store_true", help="the address is known to be the user's")


async def create_user(job: Job) -> int:
    """Create a user."""
    async with job.started(creates=True) as auth:
        user = await _create(job, auth, job.options.role, verified=job.options.verified)
    return _tell_new(job, user)


async def create_admin(job: Job) -> int:
    """Create an administrator, whose address counts as verified."""
    async with job.started(creates=True) as auth:
        try:
            user = await _create(job, auth, [admin_role(auth)], verified=True)
        except UserIdExistsError:
            raise
        except UserExistsError:
            email, role = job.options.email, admin_role(auth)
            text = f"the address {email} has an account; to make it one of an administrator: "
            app = f" --app {job.options.app}" if job.options.app else ""
            raise RefusedError(f"{text}asgi-auth roles {email} {role}{app}", UserExistsError.code) from None
    return _tell_new(job, user)


def admin_role(auth: Auth) -> str:
    """Return the role of administrators: that of the feature with one, else `admin`."""
    return next((feature.admin_role for feature in auth.features if feature.admin_role), ADMIN)


async def _create(job: Job, auth: Auth, roles: Sequence[str], *, verified: bool) -> User:
    data = data_of(job.options.data)
    return await auth.users.create(
        job.options.email, password=job.password, verified=verified, roles=roles, data=data, id=job.options.id
    )


def _tell_new(job: Job, user: User) -> int:
    job.output.show(user_data(user), f"Created {shown_user(user)}.")
    return DONE


async def set_password(job: Job) -> int:
    """Set a password; all sessions of the user end."""
    async with job.started() as auth:
        user = await user_of(auth, job.options.user)
        if job.password is None:
            raise WrongUseError("a password is needed")
        await auth.users.set_password(user.id, job.password)
    job.output.show(user_data(user), f"The password of {shown_user(user)} is set, and all sessions have ended.")
    return DONE


def _roles_arguments(parser: ArgumentParser) -> None:
    add_user(parser)
    parser.add_argument("role", nargs="*", help="all roles that the user has from now on")
    parser.add_argument("--none", action="store_true", help="take all roles away")


async def roles(job: Job) -> int:
    """Show the roles of a user, or set them."""
    given: list[str] = job.options.role
    if given and job.options.none:
        raise WrongUseError("give roles or --none, not both")
    changes = bool(given) or job.options.none
    async with job.started(reads=not changes) as auth:
        user = await user_of(auth, job.options.user)
        if changes:
            user = await auth.users.set_roles(user.id, given)
    job.output.show(user_data(user), f"{shown_user(user)} has {_roles_text(user)}.")
    return DONE


def _roles_text(user: User) -> str:
    return f"the roles {', '.join(user.roles)}" if user.roles else "no roles"


def _disable_arguments(parser: ArgumentParser) -> None:
    add_user(parser)
    parser.add_argument("--reason", default="", help="why, for administrators")
    parser.add_argument("--until", metavar="TIME", help="its end: 2027-01-31, 2027-01-31T12:00Z, or in 7d, 12h, 30m")
    parser.add_argument("--tell", action="store_true", help="tell the user the reason and the end at a login")


async def disable(job: Job) -> int:
    """Disable an account."""
    options = job.options
    async with job.started() as auth:
        until = None if options.until is None else seconds_of(options.until, auth.now())
        user = await user_of(auth, options.user)
        user = await auth.users.ban(user.id, reason=options.reason, until=until, tell=options.tell)
    end = f" until {shown_time(until)}" if until is not None else ""
    job.output.show(user_data(user), f"{shown_user(user)} is disabled{end}, and all sessions have ended.")
    return DONE


async def enable(job: Job) -> int:
    """Enable an account that is disabled or closed; after a ban, it is as before."""
    async with job.started() as auth:
        user = await user_of(auth, job.options.user)
        if Ban.of(user) is not None:
            user = await auth.users.unban(user.id)
        elif user.status != "active":
            user = await auth.users.set_status(user.id, "active")
    job.output.show(user_data(user), f"{shown_user(user)} is {user.status}.")
    return DONE


async def export_user(job: Job) -> int:
    """Write everything that is stored about a user, without secrets."""
    async with job.started(reads=True) as auth:
        stored = await auth.users.export((await user_of(auth, job.options.user)).id)
    data = msgspec.to_builtins(stored)
    job.output.show(data, json.dumps(data, indent=2))
    return DONE


COMMANDS = (
    Command("create-user", "create a user", create_user, _user_arguments, password=True),
    Command(
        "create-admin", "create an administrator with a verified address", create_admin, _new_arguments, password=True
    ),
    Command("set-password", "set the password of a user, and end all sessions", set_password, add_user, password=True),
    Command("roles", "show the roles of a user, or set them", roles, _roles_arguments),
    Command("disable", "disable the account of a user, and end all sessions", disable, _disable_arguments),
    Command("enable", "enable the account of a user that is disabled or closed", enable, add_user),
    Command("export-user", "write everything that is stored about a user, without secrets", export_user, add_user),
)
