"""The app of worker processes with all defaults, whose mails wait for a file and are written to another one.

`X-Forwarded-For` names the client. In the folder MAILS, a mailer writes a line into `begun` for each mail, waits until
there is a file `go` and then MAIL_SECONDS, and writes a line into `sent`. ANSWER_FIRST is 1 for the default, and 0 for
`after_answer=False`.
"""

import asyncio
import os
from pathlib import Path

from asgi_auth import Argon2, Auth, AuthMiddleware, Passwords, Settings
from asgi_auth.feature import Feature
from asgi_auth.features.defaults import defaults
from asgi_auth.mail import Mail
from tests.support import ORIGIN, who

FOLDER = Path(os.environ["MAILS"])
SECONDS = float(os.environ.get("MAIL_SECONDS", "0"))


async def send(mail: Mail) -> None:
    """Send a mail when the test lets it go."""
    note("begun", mail)
    while not (FOLDER / "go").exists():  # noqa: ASYNC110 (another process makes the file)
        await asyncio.sleep(0.02)
    await asyncio.sleep(SECONDS)
    note("sent", mail)


def note(name: str, mail: Mail) -> None:
    """Add a line to a file."""
    with (FOLDER / name).open("a", encoding="utf-8") as file:
        file.write(f"{mail.purpose} {mail.token}\n")


others: list[Feature] = [item for item in defaults(mail=True) if not isinstance(item, Passwords)]
auth = Auth(
    os.environ["AUTH_DATABASE_URL"],
    settings=Settings(
        secret=os.environ["AUTH_SECRET"],
        base_url=ORIGIN,
        enumeration="tell",
        trusted_proxies=("127.0.0.1",),
        after_answer=os.environ["ANSWER_FIRST"] == "1",
    ),
    features=[Passwords(argon2=Argon2.cheap()), *others],
    mailer=send,
)
app = AuthMiddleware(who, auth, mount="/auth")
