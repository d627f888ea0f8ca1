"""Users in arguments and in output."""

import json
from argparse import ArgumentParser
from typing import Any

from asgi_auth.auth import Auth
from asgi_auth.command.refusals import RefusedError, WrongUseError
from asgi_auth.errors import UserNotFoundError
from asgi_auth.model.ban import Ban
from asgi_auth.model.records import User


def add_user(parser: ArgumentParser) -> None:
    """Add the argument that names a user."""
    parser.add_argument("user", help="the id or the address of the user")


async def user_of(auth: Auth, text: str) -> User:
    """Return the user with an id or an address. Raises RefusedError."""
    user = await auth.users.find(text) if auth.storage.is_user_id(text) else None
    if user is not None:
        return user
    try:
        return await auth.users.by_email(text)
    except UserNotFoundError:
        raise RefusedError(f"there is no user {text}", UserNotFoundError.code) from None


def shown_user(user: User) -> str:
    """Return address, id and roles as text."""
    return f"{user.email} ({user.id}{', roles ' + ', '.join(user.roles) if user.roles else ''})"


def user_data(user: User) -> dict[str, Any]:
    """Return a user for JSON. Times are seconds since 1970."""
    ban = Ban.of(user)
    found = {
        "id": user.id,
        "email": user.email,
        "email_verified": user.email_verified,
        "status": user.status,
        "roles": list(user.roles),
        "data": user.own_data,
        "created_at": user.created_at,
    }
    return found | ({"ban": {"reason": ban.reason, "until": ban.until}} if ban is not None else {})


def data_of(text: str) -> dict[str, Any]:
    """Return the extra fields in an argument. Raises WrongUseError."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise WrongUseError(f"--data is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise WrongUseError("--data is not a JSON object")
    return data
