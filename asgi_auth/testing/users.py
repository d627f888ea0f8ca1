"""Users of tests, and their logins without a request: real accounts, real sessions and real tokens."""

import secrets
from collections.abc import Collection, Mapping
from typing import Any

from msgspec.structs import replace

from asgi_auth.auth import Auth
from asgi_auth.errors import UserNotFoundError
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Client, User
from asgi_auth.sessions.identity import MFA
from asgi_auth.sessions.new_session import new_session
from asgi_auth.sessions.second_factors import SECOND_FACTOR_AT
from asgi_auth.web.cookies import Cookies

#: The authentication methods of a login with a password, and of one with a second factor as well (RFC 8176).
BY_PASSWORD, BY_TWO_FACTORS = ("pwd",), ("pwd", "otp", MFA)


async def make_user(
    auth: Auth,
    email: str | None = None,
    *,
    password: str | None = None,
    roles: str | Collection[str] = (),
    verified: bool = True,
    id: str | None = None,  # noqa: A002 (the name of the column)
    **fields: Any,
) -> User:
    """Create an active account; `fields` are extra fields, as the setting `fields` names them.

    The default address is `user-<random>@example.com`, and is verified. Raises TypeError without a value for a required
    field, and the errors of `auth.users.create`.
    """
    required = [item.name for item in auth.settings.fields if item.required and item.write != "admin"]
    if missing := [name for name in required if fields.get(name) is None]:
        raise TypeError(f"make_user needs values for the required fields: {', '.join(missing)}")
    return await auth.users.create(
        email or f"user-{secrets.token_hex(4)}@example.com",
        password=password,
        roles=[roles] if isinstance(roles, str) else list(roles),
        verified=verified,
        id=id,
        data=fields,
    )


async def login_headers(auth: Auth, user: User | str, *, mfa: bool = False) -> dict[str, str]:
    """Log in a user, or the user with an id, and return the header that shows the access token.

    The session is a real one, and can be listed, refreshed and ended. No password is checked and no feature is asked,
    so that a user with a second factor is logged in, too; `mfa` tells whether it was shown. Raises UserNotFoundError
    for an unknown id, and RuntimeError for an account that is not active.
    """
    pair = await tokens_of(auth, user, mfa=mfa)
    return {"Authorization": f"Bearer {pair.access_token}"}


async def login_cookies(auth: Auth, user: User | str, *, mfa: bool = False) -> dict[str, str]:
    """Log in a user as `login_headers` does, and return the cookies of the session, by name.

    A browser sends the header `Origin` with unsafe requests such as POST: so must a test, with `auth.settings.origin`.
    """
    pair, cookies = await tokens_of(auth, user, mfa=mfa), Cookies(auth.settings)
    return {cookies.access: pair.access_token, cookies.refresh: pair.refresh_token}


async def tokens_of(auth: Auth, user: User | str, *, mfa: bool = False) -> TokenPair:
    """Log in a user as `login_headers` does, and return the tokens."""
    await auth.start()
    found = await auth.storage.user(user.id if isinstance(user, User) else user)
    if found is None:
        raise UserNotFoundError
    amr = BY_TWO_FACTORS if mfa else BY_PASSWORD
    session = new_session(found, amr, Client(), auth.now(), auth.settings.session_ttl)
    if mfa:
        session = replace(session, data={SECOND_FACTOR_AT: session.auth_time})
    # It needs no credential, which a user without a password does not have.
    if not await auth.storage.add_acting_session(session):
        raise RuntimeError(f"the account of {found.email} is {found.status}, so it has no sessions")
    return auth.sessions._pair(session, found.roles, _claims(auth, found))


def _claims(auth: Auth, user: User) -> Mapping[str, Any]:
    return auth._host_claims(user) if auth._host_claims is not None else {}
