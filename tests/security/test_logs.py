"""The log: no secret and no address ever, whatever goes wrong, and one line for one entry."""

import logging
from collections.abc import Iterator

import pytest

from asgi_auth import Argon2, Auth, AuthApp, MagicLink, Passwords
from asgi_auth.errors import ForbiddenError
from asgi_auth.feature import Feature
from asgi_auth.importing.record import CredentialRecord, UserRecord
from asgi_auth.mail import MailError
from asgi_auth.model.records import Event, OneTimeToken
from asgi_auth.pages.forms import Failed
from asgi_auth.web.cookie_choice import Choice
from asgi_auth.web.credentials import PresentedCredentials
from tests.features.flows import NEW_PASSWORD, flows
from tests.support import EMAIL, PASSWORD, Client, CountingStorage, bearer, login, make_auth, register, unlimited


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


def every_feature() -> list[Feature]:
    return [Passwords(argon2=Argon2.cheap()), *unlimited(mail=True), MagicLink()]


class Deaf(Feature):
    """Fails at every event."""

    async def observe(self, event: Event) -> None:
        raise RuntimeError(event.name)


async def test_the_log_holds_no_secret_and_no_address_whatever_happens(log: pytest.LogCaptureFixture) -> None:
    async with flows(CountingStorage(), features=[*every_feature(), Deaf()]) as app:
        secrets = [PASSWORD, NEW_PASSWORD, EMAIL, EMAIL.partition("@")[0] + "@"]
        await app.verified()
        pair = (await app.login()).json
        secrets += [pair["access_token"].rpartition(".")[2], pair["refresh_token"].rpartition(".")[2]]
        await app.login("a wrong password")
        secrets.append("a wrong password")
        for asking, purpose in (("forgot-password", "reset_password"), ("magic-link", "magic_link")):
            app.clock.move(61)
            await app.client.post(f"/auth/{asking}", {"email": EMAIL})
            mail = await app.mail(purpose)
            secrets += [mail.token, mail.code]
        await app.client.post("/auth/refresh", {"refresh_token": pair["refresh_token"]})
        await app.client.post("/auth/refresh", {"refresh_token": pair["refresh_token"][:-1]})
        await app.client.post("/auth/logout", headers=bearer(pair["access_token"]))
        credential = await app.auth.storage.credential((await app.auth.users.by_email(EMAIL)).id, "password")
        assert credential is not None
        secrets.append(credential.secret)
        await break_everything(app.client, app.auth)

    assert "a feature failed to observe" in log.text
    assert "failed to answer" in log.text
    for secret in secrets:
        assert secret not in log.text


async def break_everything(client: Client, auth: Auth) -> None:
    """Make each statement fail with an error that names its values, as drivers' errors do."""
    storage = auth.storage
    assert isinstance(storage, CountingStorage)

    async def fail(_: str) -> None:
        raise RuntimeError("no such table")

    storage.before = fail
    for path in ("login", "register"):
        await client.post(f"/auth/{path}", {"email": EMAIL, "password": PASSWORD})
    storage.before = None


async def test_a_mail_that_fails_is_told_without_address_and_token(log: pytest.LogCaptureFixture) -> None:
    sent: list[str] = []

    async def refuse(mail: object) -> None:
        sent.append(repr(mail) + str(vars(mail)) if hasattr(mail, "__dict__") else repr(mail))
        raise MailError("refused")

    async with make_auth(mailer=refuse) as auth:
        await register(auth)
        await auth.mail.idle()

    assert len(sent) == 1
    assert "mail verify_email" in log.text
    assert EMAIL not in log.text
    assert "token=" not in log.text


@pytest.mark.parametrize("agent", ["x\r\nWARNING root: forged", "\x1b[2J\x1b[31m", "a\nb\x00c\u2028d\x85e"])
async def test_what_clients_send_makes_no_line_of_the_log(log: pytest.LogCaptureFixture, agent: str) -> None:
    storage = CountingStorage()
    async with make_auth(storage, max_revocation_lag=60) as auth:
        sendable = agent.encode("latin-1", "replace").decode("latin-1")
        client = Client(AuthApp(auth), {"user-agent": sendable, "x-request-id": sendable, "referer": sendable})
        await client.post("/register", {"email": agent, "password": agent, agent: agent})
        await client.post(f"/{agent}", {})

        async def fail(_: str) -> None:
            raise RuntimeError("broken")

        storage.before = fail
        await client.post("/login", {"email": EMAIL, "password": PASSWORD})
        storage.before = None

    assert "failed to answer POST" in log.text
    for record in log.records:
        assert not {"\r", "\n", "\x1b", "\0", "\u2028", "\x85"} & set(record.getMessage())


async def test_a_format_in_what_was_sent_is_only_text(auth: Auth, log: pytest.LogCaptureFixture) -> None:
    client = Client(AuthApp(auth), {"user-agent": "%s%n {0.__class__} %(x)s"})

    await client.post("/register", {"email": EMAIL, "password": "%s%s{x}{0.__class__}"})
    pair = await login(auth, password="%s%s{x}{0.__class__}")

    assert pair.access_token
    told = [record.getMessage() for record in log.records if record.name.startswith("asgi_auth")]
    assert told
    assert not [line for line in told if "%" in line or "{" in line or "<class" in line]


async def test_no_repr_shows_a_secret(auth: Auth) -> None:
    """Trackers of errors show the variables of a traceback by their `repr`."""
    user_id = await register(auth)
    shown: list[str] = []
    auth.before("login")(lambda call: shown.append(repr(call)))
    pair = await login(auth)
    credential = await auth.storage.credential(user_id, "password")
    assert credential is not None
    token = OneTimeToken(
        id="1",
        purpose="x",
        subject=EMAIL,
        digest="the digest",
        code="the code",
        data={"secret": "a hash"},
        created_at=0,
        expires_at=1,
    )
    record = UserRecord(
        email=EMAIL,
        password=PASSWORD,
        password_hash="a hash",
        credentials=(CredentialRecord(kind="totp", identifier="1", secret="a seed", sealed="a sealed seed"),),
    )
    presented = PresentedCredentials(bearer="a bearer", access=["an access"], refresh=["a refresh"], device="a device")
    failed = Failed(endpoint="login", sent={"password": PASSWORD}, error=ForbiddenError())
    choice = Choice(access="an access", refresh="a refresh")
    shown += [repr(item) for item in (pair, credential, token, record, presented, choice, failed)]

    secrets = [PASSWORD, pair.access_token, pair.refresh_token, credential.secret, "the digest", "the code", "a hash"]
    secrets += ["a seed", "a sealed seed", "a bearer", "an access", "a refresh", "a device"]
    assert len(shown) == 8
    assert [secret for secret in secrets if any(secret in text for text in shown)] == []
    assert "login" in shown[0]
