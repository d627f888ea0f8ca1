"""Events in the log: one record each, with fields that JSON takes, no secrets, no way to write lines of one's own."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from asgi_auth import Auth
from asgi_auth.events.log import encoded
from asgi_auth.model.records import Client as Caller
from tests.features.flows import NEW_PASSWORD, flows
from tests.support import EMAIL, PASSWORD, Client, Clock, bearer

FIELDS = (
    "event_name", "event_outcome", "event_code", "event_time", "event_user", "event_actor", "event_session",
    "event_address", "event_agent", "event_request", "event_data",
)  # fmt: skip


class JSONLines(logging.Formatter):
    """A formatter as hosts have it: every extra field of a record, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        own = {name: value for name, value in vars(record).items() if name.startswith("event_")}
        return json.dumps({"level": record.levelname, "message": record.getMessage(), **own})


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """All that the logger writes, as JSON lines."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONLines())
    logger = logging.getLogger("asgi_auth")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(level)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


async def test_a_success_is_information_and_a_failure_a_warning(
    auth: Auth, client: Client, clock: Clock, written: io.StringIO
) -> None:
    clock.at = 1_800_000_000
    account = {"email": EMAIL, "password": PASSWORD}

    await client.post("/auth/register", account, headers={"x-request-id": "r-1", "user-agent": "curl"})
    await client.post("/auth/login", account | {"password": "wrong"}, headers={"x-request-id": "r-2"})

    made, refused = lines(written)[0], lines(written)[-1]
    user = await auth.users.by_email(EMAIL)
    assert made.keys() - {"level", "message"} == set(FIELDS)
    assert made["level"] == "INFO"
    assert made["message"] == f"register success (user_created) user={user.id} address=192.0.2.7 request=r-1"
    assert (made["event_time"], made["event_agent"]) == ("2027-01-15T08:00:00+00:00", "curl")
    assert refused["level"] == "WARNING"
    assert refused["event_code"] == "authn_login_fail"
    assert refused["message"].endswith("request=r-2 reason=invalid_credentials")


async def test_no_secret_and_no_address_of_a_user_is_ever_written(written: io.StringIO) -> None:
    secrets: set[str] = {PASSWORD, NEW_PASSWORD, EMAIL, "new@example.com", "Wrong-Pass-1"}
    async with flows() as app:
        await app.register()
        mail = await app.mail("verify_email")
        await app.client.post("/auth/verify-email", {"token": mail.token})
        await app.login("Wrong-Pass-1")
        pair = (await app.login()).json
        session = (await app.auth.authenticate(pair["access_token"])).session_id
        refreshed = (await app.client.post("/auth/refresh", {"refresh_token": pair["refresh_token"]})).json
        await app.client.get("/auth/me", headers=bearer(pair["access_token"] + "x"))
        await app.client.post("/auth/login", {"email": EMAIL, "password": [PASSWORD]})
        await app.client.post("/auth/forgot-password", {"email": EMAIL})
        reset = await app.mail("reset_password")
        await app.client.post("/auth/reset-password", {"token": reset.token, "new_password": NEW_PASSWORD})
        await app.client.post("/auth/reset-password", {"token": reset.token, "new_password": NEW_PASSWORD})
        changing = {"new_email": "new@example.com", "password": NEW_PASSWORD}
        await app.client.post("/auth/change-email", changing, headers=await app.headers(NEW_PASSWORD))
        secrets |= {mail.token, mail.code, reset.token, reset.code, session}
        secrets |= {str(value) for value in (*pair.values(), *refreshed.values())}
        await app.auth.mail.idle()

    text = written.getvalue()
    assert len(lines(written)) > 15
    assert {secret for secret in secrets if len(secret) > 7 and secret in text} == set()
    assert "$argon2" not in text
    assert "@example" not in text


HOSTILE = ["a\nlogin success", "a\r\n{}", "a\x1b[2Jb", "a\u2028b", "a\u202eb", "%s %n {x}", "\x00", "\ud800"]


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_what_clients_send_writes_no_lines_and_reaches_no_terminal(
    auth: Auth, written: io.StringIO, hostile: str
) -> None:
    client = Caller(address=hostile, user_agent=hostile, request_id=hostile)

    data = {hostile: [hostile, {"reason": hostile}], "reason": hostile}

    await auth.emit(hostile, client=client, user_id=hostile, data=data)

    (line,) = written.getvalue().splitlines()
    found = json.loads(line)
    for text in (found["message"], found["event_agent"], *found["event_data"], found["event_name"]):
        assert text.isprintable()
    assert found["event_agent"] == (hostile if hostile.isprintable() else hostile.encode("unicode_escape").decode())


async def test_user_agents_are_cut_and_stripped_on_their_way_in(client: Client, written: io.StringIO) -> None:
    agent = {"user-agent": "a\x1b\x07" + "b" * 10_000}

    await client.post("/auth/login", {"email": EMAIL, "password": "x" * 9}, headers=agent)

    assert lines(written)[-1]["event_agent"] == "a" + "b" * 254


def test_values_that_json_does_not_know_are_named_by_their_type() -> None:
    mixed = {"a": object(), "b": (1, 2.5, None, True), 3: {"x"}}

    assert encoded(mixed) == {"a": "object", "b": [1, 2.5, None, True], "3": ["x"]}
    assert encoded("x" * 300) == "x" * 255


async def test_nothing_is_made_up_for_a_log_that_no_one_reads(auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr("asgi_auth.events.log.fields_of", made.append)
    logging.getLogger("asgi_auth").setLevel(logging.ERROR)

    try:
        await auth.emit("login")
    finally:
        logging.getLogger("asgi_auth").setLevel(logging.NOTSET)

    assert made == []
