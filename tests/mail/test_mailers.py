"""Mailers without a network: the console, the outbox, and functions of the host."""

import asyncio
import io
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from asgi_auth import (
    OIDC,
    EmailVerification,
    MagicLink,
    Passkeys,
    PasswordReset,
    Passwords,
    RecoveryCodes,
    Totp,
    Usernames,
    google,
)
from asgi_auth.features.authorization_server import AuthorizationServer, Resource
from asgi_auth.features.defaults import defaults
from asgi_auth.mail import Callbacks, ConsoleMailer, Letter, Mail, MailError, Outbox, TemporaryMailError
from asgi_auth.mail.mailers import MAX_THREADS, FunctionMailer, _Threads, as_mailer
from asgi_auth.texts import purposes
from tests.mail.server import a_mail
from tests.support import make_auth


@pytest.fixture
async def never() -> AsyncIterator[threading.Event]:
    """An event that hanging threads wait for. It is set at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def test_neither_letter_nor_mail_shows_its_secrets() -> None:
    secrets: dict[str, Any] = {"token": "t0k3n", "code": "123456", "link": "https://x.example/?t0k3n"}
    letter = Letter(purpose="magic_link", to="ann@example.com", **secrets)
    mail = a_mail(**secrets)

    for shown in (repr(letter), str(mail), f"{[mail, letter]}", repr(letter.__rich_repr__())):
        assert "ann@example.com" in shown
        assert not any(secret in shown for secret in ("t0k3n", "123456", mail.text, mail.html))


def test_every_mail_has_an_id_of_its_own() -> None:
    assert a_mail().id != a_mail().id


async def test_the_console_shows_who_and_what_and_nothing_that_commands_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream = io.StringIO()

    await ConsoleMailer(stream).send(a_mail(text="Open\nhttps://x.example\x1b[2J\x9b\r"))
    await ConsoleMailer().send(a_mail())

    assert "To: ann@example.com\nSubject: Bestätigen: ü\n\nOpen\nhttps://x.example[2J\n---" in stream.getvalue()
    assert "https://x.example/?token=t0k" in capsys.readouterr().err


async def test_the_outbox_gives_the_oldest_that_fits() -> None:
    outbox = Outbox()
    for to, purpose in (("a@x.example", "magic_link"), ("b@x.example", "magic_link"), ("b@x.example", "register")):
        await outbox.send(a_mail(to, purpose=purpose))

    assert (await outbox.next("register")).to == "b@x.example"
    assert (await outbox.next(to="b@x.example")).purpose == "magic_link"
    assert len(outbox) == 1
    assert (await outbox.next()).to == "a@x.example"
    assert outbox.mails == []


async def test_the_outbox_waits_for_the_one_that_fits_whatever_loop_it_comes_from() -> None:
    outbox = Outbox()
    waiting = asyncio.create_task(outbox.next("register"))
    await asyncio.sleep(0)

    await outbox.send(a_mail())
    await asyncio.to_thread(lambda: asyncio.run(outbox.send(a_mail(purpose="register"))))

    assert (await waiting).purpose == "register"
    assert len(outbox) == 1


async def test_the_outbox_tells_what_is_there_instead() -> None:
    outbox = Outbox()
    await outbox.send(a_mail())

    with pytest.raises(TimeoutError, match=r"no mail register to any address; the outbox has .*verify_email"):
        await outbox.next("register", seconds=0.01)


async def test_callbacks_get_address_and_token_of_their_purpose() -> None:
    calls: list[tuple[Any, ...]] = []

    async def verify(email: str, token: str) -> None:
        calls.append(("verify", email, token))

    def reset(email: str, token: str) -> None:
        calls.append(("reset", email, token, threading.current_thread() is threading.main_thread()))

    others = Outbox()
    callbacks = Callbacks(verify_email=verify, reset_password=reset, others=others)
    for purpose in ("verify_email", "reset_password", "magic_link"):
        await callbacks.send(a_mail(purpose=purpose, token="t0k3n"))

    assert calls == [("verify", "ann@example.com", "t0k3n"), ("reset", "ann@example.com", "t0k3n", False)]
    assert [mail.purpose for mail in others.mails] == ["magic_link"]
    with pytest.raises(MailError, match="magic_link"):
        await Callbacks(verify_email=verify).send(a_mail(purpose="magic_link"))


def test_a_feature_whose_mail_would_go_nowhere_is_refused_when_it_is_listed() -> None:
    def send(email: str, token: str) -> None: ...

    with pytest.raises(ValueError, match="already_registered, register"):
        make_auth(features=[Passwords(), EmailVerification()], mailer=Callbacks(verify_email=send))

    make_auth(features=[Passwords(), PasswordReset()], mailer=Callbacks(reset_password=send, password_disabled=send))
    make_auth(features=[Passwords(), EmailVerification()], mailer=Callbacks(verify_email=send, others=Outbox()))


def test_every_mail_belongs_to_a_feature_that_says_so() -> None:
    oidc = OIDC([google("app", "a secret of a client")])
    factors = [Totp(), RecoveryCodes(), Passkeys()]
    clients = AuthorizationServer({"/notes": Resource("Notes", {"notes:read": "Read your notes"})})
    features = [*defaults(mail=True), MagicLink(), *factors, Usernames(), oidc, clients]

    assert {purpose for feature in features for purpose in feature.mails} == purposes()


def test_callbacks_for_a_purpose_that_there_is_not_are_refused() -> None:
    assert {"verify_email", "reset_password", "account_closed"} <= purposes()
    with pytest.raises(ValueError, match="verify_mail"):
        Callbacks(verify_mail=print)


async def test_any_function_of_the_mail_is_a_mailer() -> None:
    seen: list[str] = []

    async def asynchronous(mail: Mail, name: str = "async") -> None:
        seen.append(f"{name} {mail.to}")

    class Callable:
        async def __call__(self, mail: Mail) -> None:
            await asynchronous(mail, "object")

    functions: list[Any] = [asynchronous, partial(asynchronous, name="partial"), Callable()]
    functions += [lambda mail: asynchronous(mail, "lambda"), lambda mail: seen.append(f"sync {mail.to}")]
    for function in functions:
        mailer = as_mailer(function)
        assert mailer is not None
        await mailer.send(a_mail())

    assert seen == [f"{kind} ann@example.com" for kind in ("async", "partial", "object", "lambda", "sync")]


async def test_a_function_that_hangs_is_given_up_for_now(never: threading.Event) -> None:
    async def hangs(_mail: Mail) -> None:
        await asyncio.Event().wait()

    for function in (hangs, lambda _mail: never.wait()):
        with pytest.raises(TemporaryMailError, match="longer than"):
            await FunctionMailer(function, seconds=0.05).send(a_mail())


async def test_a_function_s_own_errors_go_through() -> None:
    def fails(_mail: Mail) -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        await FunctionMailer(fails).send(a_mail())


async def test_functions_that_hang_leave_the_threads_of_the_host_alone(never: threading.Event) -> None:
    mailer = FunctionMailer(lambda _mail: never.wait(), seconds=0.05)

    await asyncio.gather(*(mailer.send(a_mail()) for _ in range(50)), return_exceptions=True)

    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 5) == "free"


async def test_a_thread_that_cannot_start_costs_no_later_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    mailer = FunctionMailer(lambda mail: sent.append(mail.to), seconds=2)

    def fails(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fails)
        for _ in range(MAX_THREADS):
            with pytest.raises(RuntimeError, match="can't start"):
                await mailer.send(a_mail(to="failed@example.com"))
    await mailer.send(a_mail())

    assert sent == ["ann@example.com"]


async def test_a_call_that_arrives_while_the_last_thread_ends_is_run() -> None:
    threads = _Threads()
    release = threads._free.release
    late: list[Future[str]] = []
    for _ in range(MAX_THREADS - 1):
        assert threads._free.acquire(blocking=False)

    def submit_first() -> None:
        if not late:
            late.append(threads.submit(lambda: "late"))
        release()

    threads._free.release = submit_first  # type: ignore[method-assign, assignment]  # the moment before the thread ends
    assert await asyncio.wrap_future(threads.submit(lambda: "first")) == "first"

    async with asyncio.timeout(5):
        assert await asyncio.wrap_future(late[0]) == "late"


def test_what_is_given_as_a_mailer() -> None:
    outbox = Outbox()

    assert as_mailer(outbox) is outbox
    assert isinstance(as_mailer(None, development=True), ConsoleMailer)
    assert as_mailer(None) is None
    for wrong in ("smtp://localhost", Outbox):
        with pytest.raises(TypeError, match="send"):
            as_mailer(wrong)  # type: ignore[arg-type]  # tests wrong types


def test_a_function_that_hangs_does_not_keep_the_process_from_ending() -> None:
    script = """
import asyncio, time
from asgi_auth.mail.mailers import FunctionMailer
from asgi_auth.mail import Mail, TemporaryMailError

async def main():
    mailer = FunctionMailer(lambda mail: time.sleep(600), seconds=0.1)
    try:
        await mailer.send(Mail(purpose="x", to="x", subject="x", text="x", html="x"))
    except TemporaryMailError:
        print("given up")

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)

    assert done.stdout == "given up\n"
