"""Background delivery: callers never wait, temporary errors are retried, and each mail ends in an event."""

import asyncio
import logging
import threading

import pytest

from asgi_auth.mail import Letter, Mail, MailError, Outbox, Templates, TemporaryMailError, send_once
from tests.mail.deliveries import (
    ADDRESS,
    LONG,
    SENT,
    Blocking,
    Events,
    Failing,
    deliver,
    failed,
    nothing,
    until,
    writing,
)
from tests.mail.server import serving


@pytest.fixture
def told() -> Events:
    return Events()


async def test_a_letter_is_sent_and_that_is_told(told: Events) -> None:
    outbox = Outbox()
    delivery = deliver(outbox, told)

    delivery.send_later(writing())
    assert len(outbox) == 0
    mail = await outbox.next("verify_email", ADDRESS)
    await delivery.idle()

    assert (mail.token, mail.subject) == ("t0k3n", "Confirm your address for Shop")
    assert told == [SENT]


async def test_no_letter_is_the_end_of_it(told: Events) -> None:
    delivery = deliver(Outbox(), told)

    delivery.send_later(nothing)
    await delivery.idle()
    await deliver(Outbox(), told).idle()

    assert told == []


async def test_two_hundred_letters_wait_for_a_server_that_pauses_and_no_one_else_does(told: Events) -> None:
    async with serving() as server:
        server.running.clear()
        delivery = deliver(server.mailer(), told)
        for number in range(200):
            delivery.send_later(writing(to=f"user{number}@example.com"))
        await server.tried.acquire()
        await asyncio.sleep(0)
        # The callers and the loop went on, and the server has taken nothing yet.
        assert (told, server.got) == ([], [])
        server.running.set()
        await delivery.idle(60)

    assert {envelope.rcpt_tos[0] for envelope, _ in server.got} == {
        f"user{number}@example.com" for number in range(200)
    }
    assert told == [SENT] * 200


async def test_it_begins_after_the_caller_even_where_tasks_are_eager(told: Events) -> None:
    eager = getattr(asyncio, "eager_task_factory", None)
    asyncio.get_running_loop().set_task_factory(eager)
    written: list[str] = []
    delivery = deliver(Outbox(), told)

    async def write() -> None:
        written.append("now")

    delivery.send_later(write)
    at_once = list(written)
    await delivery.idle()

    assert (at_once, written) == ([], ["now"])


async def test_a_few_are_sent_at_a_time(told: Events) -> None:
    mailer = Blocking()
    delivery = deliver(mailer, told, workers=3)

    for _ in range(9):
        delivery.send_later(writing())
    await until(lambda: mailer.holding == 3)
    with pytest.raises(TimeoutError):
        await delivery.idle(0.01)
    mailer.go.set()
    await delivery.idle()

    assert mailer.most == 3
    assert len(mailer.outbox) == 9


async def test_what_is_temporary_is_tried_again_as_the_same_mail(
    told: Events, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "asgi_auth")
    mailer = Failing(TemporaryMailError("451"), OSError("t0k3n in a host's error"))
    written = 0

    async def write() -> Letter:
        nonlocal written
        written += 1
        return Letter(purpose="verify_email", to=ADDRESS, token="t0k3n", user_id="u1")

    delivery = deliver(mailer, told)
    delivery.send_later(write)
    await delivery.idle()

    assert len({mail.id for mail in mailer.tried}) == 1
    assert (written, len(mailer.tried), len(mailer.outbox)) == (1, 3, 1)
    assert told == [SENT]
    assert "451" in caplog.text
    assert "OSError" in caplog.text
    assert "t0k3n" not in caplog.text
    assert ADDRESS not in caplog.text


async def test_five_tries_in_vain_are_enough(told: Events, caplog: pytest.LogCaptureFixture) -> None:
    mailer = Failing(*(TemporaryMailError(f"try {number}") for number in range(9)))
    delivery = deliver(mailer, told)

    delivery.send_later(writing())
    await delivery.idle()

    assert len(mailer.tried) == 5
    assert told == [failed("unreachable")]
    assert "mail verify_email was not sent, unreachable: try 4" in caplog.text


async def test_the_pauses_grow_as_they_are_given(told: Events) -> None:
    loop = asyncio.get_running_loop()
    mailer = Failing(*(TemporaryMailError("later") for _ in range(2)))
    at: list[float] = []
    send = mailer.send

    async def noted(mail: Mail) -> None:
        at.append(loop.time())
        await send(mail)

    mailer.send = noted  # type: ignore[method-assign]  # records the time
    delivery = deliver(mailer, told, delays=(0.02, 0.08))
    delivery.send_later(writing())
    await delivery.idle()

    assert at[1] - at[0] >= 0.019
    assert at[2] - at[1] >= 0.079


async def test_what_rests_holds_no_slot(told: Events) -> None:
    mailer = Failing(TemporaryMailError("later"))
    delivery = deliver(mailer, told, workers=1, delays=(LONG,))

    delivery.send_later(writing())
    delivery.send_later(writing(purpose="magic_link"))
    mail = await mailer.outbox.next()
    await delivery.drain(1)

    assert mail.purpose == "magic_link"
    assert told[-1] == failed("closed")


async def test_what_is_final_is_given_up_at_once(told: Events, caplog: pytest.LogCaptureFixture) -> None:
    mailer = Failing(MailError("550"))
    delivery = deliver(mailer, told)

    delivery.send_later(writing())
    await delivery.idle()

    assert len(mailer.tried) == 1
    assert told == [failed("refused")]
    assert "mail verify_email was not sent, refused: 550" in caplog.text


async def test_a_letter_that_can_not_be_written_or_rendered_is_told_without_its_secrets(
    told: Events, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "t0k3n"

    async def fails() -> Letter:
        raise RuntimeError(f"with {secret}")

    delivery = deliver(Outbox(), told)
    delivery.send_later(fails)
    await delivery.idle()
    delivery.send_later(writing(purpose="nonsense"))
    await delivery.idle()

    assert told == [failed("not_written", ""), failed("not_rendered", "nonsense")]
    assert "RuntimeError" in caplog.text
    assert "test_delivery.py" in caplog.text
    assert "t0k3n" not in caplog.text


async def test_without_a_mailer_every_mail_fails(told: Events, caplog: pytest.LogCaptureFixture) -> None:
    delivery = deliver(None, told)

    delivery.send_later(writing())
    await delivery.idle()

    assert told == [failed("no_mailer")]
    assert "Auth(mailer=…)" in caplog.text


async def test_a_mailer_that_never_comes_back_is_cut_off(told: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_once, "SEND_TIMEOUT", 0.01)
    delivery = deliver(Blocking(), told, delays=())

    delivery.send_later(writing())
    await delivery.idle()

    assert told == [failed("unreachable")]


async def test_rendering_happens_off_the_loop(told: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    render = Templates.render

    def noted(self: Templates, letter: Letter) -> Mail:
        threads.append(threading.current_thread())
        return render(self, letter)

    monkeypatch.setattr(Templates, "render", noted)
    delivery = deliver(Outbox(), told)
    delivery.send_later(writing())
    await delivery.idle()

    assert threads != []
    assert threading.main_thread() not in threads
