"""Commands about users and sessions, on each database."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Auth, Settings
from tests.command.commands import PASSWORD, Commands, cheap_defaults, write_app
from tests.support import EMAIL, SECRET, login

NEW_PASSWORD = "another battery staple"


def log_in(url: str, password: str = PASSWORD) -> str | None:
    """Log in with the default features; return the code of the refusal."""
    from asgi_auth.errors import AuthError

    async def run() -> str | None:
        settings = Settings(secret=SECRET, enumeration="tell")
        async with Auth(url, settings=settings, features=cheap_defaults(mail=False)) as auth:
            try:
                await login(auth, EMAIL, password)
            except AuthError as error:
                return error.code
            return None

    return asyncio.run(run())


def create(commands: Commands, *arguments: str, email: str = EMAIL) -> Any:
    return commands.ok("create-user", email, "--password-stdin", *arguments, stdin=PASSWORD + "\n")


def test_the_life_of_a_user(everywhere: Commands) -> None:
    user = create(everywhere, "--role", "editor", "--role", "author", "--verified")
    assert (user["email"], user["email_verified"], user["roles"]) == (EMAIL, True, ["editor", "author"])
    assert log_in(everywhere.url) is None

    sessions = everywhere.ok("sessions", user["id"])["sessions"]
    assert (len(sessions), sessions[0]["amr"]) == (1, ["pwd"])
    assert everywhere.ok("sessions", "ADA@Example.com", "--end") == {"ended": [sessions[0]["id"]]}
    assert everywhere.ok("sessions", EMAIL) == {"sessions": []}

    assert everywhere.ok("roles", EMAIL)["roles"] == ["editor", "author"]
    assert everywhere.ok("roles", user["id"], "admin")["roles"] == ["admin"]
    assert everywhere.ok("roles", EMAIL, "--none")["roles"] == []

    log_in(everywhere.url)
    everywhere.ok("set-password", EMAIL, "--password-stdin", stdin=NEW_PASSWORD)
    assert log_in(everywhere.url) == "invalid_credentials"
    assert everywhere.ok("sessions", EMAIL) == {"sessions": []}
    assert log_in(everywhere.url, NEW_PASSWORD) is None

    begin = int(time.time())
    disabled = everywhere.ok("disable", EMAIL, "--reason", "spam", "--until", "7d")
    assert (disabled["status"], disabled["ban"]["reason"]) == ("disabled", "spam")
    assert begin <= disabled["ban"]["until"] - 7 * 86400 <= time.time()
    assert log_in(everywhere.url, NEW_PASSWORD) == "account_disabled"
    assert everywhere.ok("sessions", EMAIL) == {"sessions": []}
    enabled = everywhere.ok("enable", EMAIL)
    assert (enabled["status"], "ban" in enabled) == ("active", False)
    assert log_in(everywhere.url, NEW_PASSWORD) is None
    assert everywhere.ok("end-everything")["ended"] == 1


def test_the_texts_name_the_user(commands: Commands) -> None:
    done = commands("create-admin", EMAIL, "--password-stdin", stdin=PASSWORD)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"Created {EMAIL} (")
    assert "roles admin" in done.out

    log_in(commands.url)
    said = {
        ("roles", EMAIL): "has the roles admin.",
        ("roles", EMAIL, "--none"): "has no roles.",
        ("sessions", EMAIL): "begun 20",
        ("sessions", EMAIL, "--end"): "Ended sessions of ada@example.com",
        ("disable", EMAIL, "--until", "2099-01-31"): "is disabled until 2099-01-31 00:00 UTC",
        ("enable", EMAIL): "is active.",
        ("end-everything",): "Ended sessions and voided tokens: 0.",
        ("purge",): "expired rows.",
    }
    for arguments, text in said.items():
        done = commands(*arguments)
        assert (done.status, done.err, text in done.out) == (0, "", True), (arguments, done)


def test_an_administrator_has_a_verified_address_and_the_role_of_a_feature(commands: Commands, tmp_path: Path) -> None:
    more = "Admin(role='chief', second_factor=False)"
    app = write_app(tmp_path, commands.url, more)
    commands._patch.chdir(tmp_path)

    plain = commands.ok("create-admin", EMAIL, "--password-stdin", stdin=PASSWORD)
    other = commands.ok("create-admin", "b@example.com", "--password-stdin", "--app", app, stdin=PASSWORD)

    assert (plain["roles"], plain["email_verified"]) == (["admin"], True)
    assert (other["roles"], other["email_verified"]) == (["chief"], True)


def test_a_user_may_have_an_id_and_no_password(commands: Commands) -> None:
    given = "0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5b"

    user = commands.ok("create-user", EMAIL, "--no-password", "--id", given)

    assert user["id"] == given
    assert log_in(commands.url) == "invalid_credentials"
    assert commands.ok("roles", given)["email"] == EMAIL
    taken = commands("create-user", "b@example.com", "--no-password", "--id", given, "--json")
    assert (taken.status, '"user_id_exists"' in taken.line) == (1, True)


def test_a_closed_account_is_opened_and_a_banned_one_is_as_before(commands: Commands) -> None:
    create(commands)

    async def close() -> None:
        async with Auth(commands.url, secret=SECRET) as auth:
            user = await auth.users.by_email(EMAIL)
            await auth.users.set_status(user.id, "closed")

    asyncio.run(close())
    assert commands.ok("disable", EMAIL)["status"] == "disabled"
    assert commands.ok("enable", EMAIL)["status"] == "closed"
    assert commands.ok("enable", EMAIL)["status"] == "active"
    assert commands.ok("enable", EMAIL)["status"] == "active"


@pytest.mark.parametrize("until", ["soon", "7 d", "2020-01-01", "99999999d", "2027-13-01", "-1d", "999999w"])
def test_a_time_that_is_none_or_over_is_wrong_use(until: str, commands: Commands) -> None:
    create(commands)

    done = commands("disable", EMAIL, f"--until={until}")

    assert (done.status, until in done.line) == (2, True)
    assert commands.ok("enable", EMAIL)["status"] == "active"


def test_one_session_of_several_ends(commands: Commands) -> None:
    create(commands)
    log_in(commands.url)
    log_in(commands.url)
    first, second = [each["id"] for each in commands.ok("sessions", EMAIL)["sessions"]]

    assert commands.ok("sessions", EMAIL, "--end", "--only", first) == {"ended": [first]}
    again = commands("sessions", EMAIL, "--end", "--only", first)
    assert (again.status, first in again.line) == (1, True)
    assert [each["id"] for each in commands.ok("sessions", EMAIL)["sessions"]] == [second]
    assert commands("sessions", EMAIL, "--only", second).status == 2


def test_all_about_a_user_is_written_without_secrets(everywhere: Commands) -> None:
    create(everywhere)

    stored = everywhere.ok("export-user", EMAIL)

    assert stored["user"]["email"] == EMAIL
    assert "user_create" in json.dumps(stored["events"])
    assert "argon2" not in json.dumps(stored)
    assert json.loads(everywhere("export-user", EMAIL).out) == stored


def test_what_users_have_sent_does_not_reach_the_terminal_as_it_is(commands: Commands) -> None:
    create(commands)

    async def enter() -> None:
        from asgi_auth import Passwords
        from asgi_auth.feature import Client

        async with Auth(commands.url, secret=SECRET, features=cheap_defaults(mail=False)) as auth:
            agent = "curl/8 \x1b]0;owned\x07\x1b[2J"
            await auth[Passwords].login(email=EMAIL, password=PASSWORD, client=Client(user_agent=agent))

    asyncio.run(enter())
    for arguments in (["sessions", EMAIL], ["sessions", EMAIL, "--json"]):
        done = commands(*arguments)
        assert done.out
        assert "\x1b" not in done.out + done.err
        assert "\x07" not in done.out + done.err
    assert "\x1b" not in commands("roles", "\x1b[2Jx").err
