"""The command `invite`: new users, users without a password again, and mails that cannot be sent."""

import asyncio
from pathlib import Path

from asgi_auth import Auth, Settings
from tests.command.commands import PASSWORD, Commands, cheap_defaults, write_app
from tests.support import EMAIL, SECRET

#: An app whose mails are files, or fail.
MAILER = """
from asgi_auth import Argon2, Passwords
class Files:
    async def send(self, mail):
        {body}
auth = Auth({url!r}, settings=Settings(secret={secret!r}, base_url="https://app.example"), mailer=Files(), features=[
    Passwords(argon2=Argon2.cheap()), *[each for each in defaults(mail=True) if type(each).__name__ != "Passwords"]])
"""
WRITES = 'with open("mails", "a") as file: file.write(mail.to + " " + mail.purpose + chr(10))'


def app_of(commands: Commands, folder: Path, body: str) -> str:
    commands._patch.chdir(folder)
    return write_app(folder, commands.url, after=MAILER.format(body=body, url=commands.url, secret=SECRET))


def test_users_are_invited_and_invited_again(commands: Commands, tmp_path: Path) -> None:
    app = app_of(commands, tmp_path, WRITES)

    new = commands.ok("invite", EMAIL, "--role", "editor", "--app", app)
    again = commands.ok("invite", EMAIL, "--app", app)
    by_id = commands.ok("invite", new["id"], "--app", app)

    assert (new["email"], new["roles"], again["id"], by_id["id"]) == (EMAIL, [], new["id"], new["id"])
    assert (tmp_path / "mails").read_text().splitlines() == [f"{EMAIL} invitation"] * 3
    # The roles are those of the first invitation.
    assert asyncio.run(roles_of_invitation(commands.url, new["id"])) == ("editor",)


async def roles_of_invitation(url: str, user_id: str) -> tuple[str, ...]:
    from asgi_auth.accounts.invitations import InvitationService

    settings = Settings(secret=SECRET)
    async with Auth(url, settings=settings, mailer=_Nothing(), features=cheap_defaults(mail=True)) as auth:
        return await auth[InvitationService].roles_of(auth.storage, user_id)


class _Nothing:
    async def send(self, mail: object) -> None:
        """Send nothing."""


def test_a_mail_that_is_lost_is_told(commands: Commands, tmp_path: Path) -> None:
    app = app_of(commands, tmp_path, "from asgi_auth.mail import MailError; raise MailError('no')")

    done = commands("invite", EMAIL, "--app", app, "--json")

    assert (done.status, '"code": "mail"' in done.line) == (1, True)


def test_users_with_a_password_and_installations_without_mails_are_refused(commands: Commands, tmp_path: Path) -> None:
    app = app_of(commands, tmp_path, WRITES)
    commands.ok("create-user", EMAIL, "--password-stdin", stdin=PASSWORD)

    assert '"code": "user_exists"' in commands("invite", EMAIL, "--app", app, "--json").line
    assert "needs the feature Invitations" in commands("invite", "b@example.com").line
    assert commands("invite", "b@example.com", "--data", "[]", "--app", app).status == 2
    assert not (tmp_path / "mails").exists()
