"""Mail in `Auth`: the choice of the mailer, the warnings at startup, and closing, which waits for mails."""

import asyncio
import logging
from pathlib import Path
from typing import Any, ClassVar

import pytest

from asgi_auth import Argon2, Auth, ConsoleMailer, Mail, Outbox, Passwords, Sessions, Settings
from asgi_auth.feature import Feature
from asgi_auth.mail import Letter, TemporaryMailError
from asgi_auth.model.records import Event
from tests.support import ORIGIN, SECRET, make_auth

LETTER = Letter(purpose="magic_link", to="ann@example.com", token="t0k3n", user_id="u1")


class Needy(Feature):
    """A feature that needs mail, and records the events that it observes."""

    needs_mail: ClassVar[bool] = True

    def __init__(self) -> None:
        self.heard: list[Event] = []

    async def observe(self, event: Event) -> None:
        self.heard.append(event)


def make(mailer: Any = None, *features: Feature, storage: str = "sqlite://", **settings: Any) -> Auth:
    made = Settings(secret=SECRET, **settings)
    return Auth(
        storage, settings=made, features=[Passwords(argon2=Argon2.cheap()), Sessions(), *features], mailer=mailer
    )


async def write() -> Letter:
    return LETTER


async def test_mails_go_to_the_mailer_and_the_features_hear_of_it() -> None:
    outbox, needy = Outbox(), Needy()

    async with make(outbox, needy, name="Shop", base_url=ORIGIN) as auth:
        auth.mail.send_later(write)
        mail = await outbox.next("magic_link")
        await auth.mail.idle()

    (event,) = needy.heard
    assert mail.subject == "Log in to Shop"
    assert (event.name, event.user_id, event.data) == ("mail", "u1", {"purpose": "magic_link"})


async def test_a_function_is_a_mailer_as_well() -> None:
    seen: list[Mail] = []

    async with make(seen.append) as auth:
        auth.mail.send_later(write)

    assert [mail.token for mail in seen] == ["t0k3n"]


def test_the_console_is_the_mailer_in_development_only() -> None:
    assert isinstance(make(development=True).mail.mailer, ConsoleMailer)
    assert make().mail.mailer is None


async def test_without_a_mailer_the_start_goes_well_and_mails_are_told_as_failed() -> None:
    needy = Needy()

    async with make(None, needy) as auth:
        auth.mail.send_later(write)

    assert [(event.name, event.outcome, event.data["reason"]) for event in needy.heard] == [
        ("mail", "failure", "no_mailer")
    ]


@pytest.mark.parametrize(
    ("mailer", "settings", "words"),
    [
        (None, {}, ["base_url is not set", "no mailer, so no mail is sent, and these features cannot work: Needy"]),
        (None, {"base_url": ORIGIN}, ["no mailer, so no mail is sent, and these features cannot work: Needy"]),
        (Outbox(), {}, ["base_url is not set"]),
        (Outbox(), {"base_url": ORIGIN}, []),
    ],
)
def test_warnings_at_start_tell_what_mail_lacks(
    mailer: Any, settings: dict[str, Any], words: list[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    auth = make(mailer, Needy(), storage=f"sqlite:///{tmp_path}/auth.db", enumeration="tell", **settings)

    async def live() -> None:
        async with auth:
            pass

    for _ in range(2):
        asyncio.run(live())

    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) == len(words)
    assert all(word in line for word, line in zip(words, lines, strict=True))


async def test_features_that_need_no_mail_cause_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    async with make_auth():
        pass

    assert caplog.text == ""


async def test_closing_sends_what_is_under_way_while_the_storage_is_still_open() -> None:
    outbox, needy = Outbox(), Needy()
    tries = 0

    async def send(mail: Mail) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise TemporaryMailError("once more")
        await outbox.send(mail)

    async def reads() -> Letter:
        await auth.storage.user("u1")
        return LETTER

    auth = make(send, needy)
    auth.mail.delays = (0.01,)
    async with auth:
        auth.mail.send_later(reads)

    assert len(outbox) == 1
    assert [(event.name, event.outcome) for event in needy.heard] == [("mail", "success")]


async def test_a_close_that_is_cancelled_closes_the_storage_all_the_same() -> None:
    forever = asyncio.Event()

    async def send(_mail: Mail) -> None:
        await forever.wait()

    auth = make(send)
    await auth.start()
    auth.mail.send_later(write)
    closing = asyncio.create_task(auth.close())
    await asyncio.sleep(0.01)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing

    with pytest.raises(RuntimeError, match="not open"):
        await auth.storage.user("u1")
