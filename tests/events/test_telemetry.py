"""OpenTelemetry: spans and counters by the real SDK, without a word about people; and no trace of it when it is off."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from asgi_auth import Auth, AuthApp, Settings
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.events.telemetry import Telemetry
from tests.support import EMAIL, PASSWORD, SECRET, Client, login, make_auth, register

ACCOUNT = {"email": EMAIL, "password": PASSWORD}
SCRIPT = """
import asyncio, sys
from asgi_auth import Auth, Passwords, Settings

async def main():
    async with Auth("sqlite://", settings=Settings(secret=sys.argv[1])) as auth:
        await auth[Passwords].register(email="ada@example.com", password="correct horse battery")
        assert auth.stream.telemetry is None

asyncio.run(main())
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
MISSING = """
import sys
sys.modules["opentelemetry"] = None
from asgi_auth import Auth, Settings

Auth("sqlite://", secret=sys.argv[1])
Auth("sqlite://", settings=Settings(secret=sys.argv[1], telemetry=True))
"""


@dataclass
class Observed:
    """An `Auth` whose spans and counters stay in memory."""

    auth: Auth
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def counts(self) -> Iterator[tuple[str, str, str, Any]]:
        data = self.reader.get_metrics_data()
        assert data is not None
        for metric in data.resource_metrics[0].scope_metrics[0].metrics:
            assert metric.name == "asgi_auth.events"
            for point in metric.data.data_points:
                found: dict[str, Any] = dict(point.attributes or {})
                yield (
                    *(found.pop(f"asgi_auth.{key}") for key in ("event", "outcome", "code")),
                    getattr(point, "value", 0),
                )
                assert found == {}


@pytest.fixture
async def observed() -> AsyncIterator[Observed]:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader])
    async with make_auth(telemetry=True) as auth:
        auth.stream.telemetry = Telemetry(tracers, meters)
        auth.pipeline.span = auth.stream.telemetry.span
        yield Observed(auth, exporter, reader)
    tracers.shutdown()
    meters.shutdown()


async def test_a_span_is_around_each_call_of_an_endpoint_over_http_and_in_process(observed: Observed) -> None:
    await register(observed.auth)
    await Client(AuthApp(observed.auth)).post("/login", ACCOUNT)

    assert [(span.name, dict(span.attributes or {})) for span in observed.spans] == [
        ("asgi_auth register", {"asgi_auth.endpoint": "register", "asgi_auth.outcome": "success"}),
        ("asgi_auth login", {"asgi_auth.endpoint": "login", "asgi_auth.outcome": "success"}),
    ]
    assert all(span.end_time for span in observed.spans)


async def test_a_refusal_is_named_and_only_our_own_fault_is_an_error(observed: Observed) -> None:
    async def away(*_: str) -> None:
        raise StorageUnavailableError

    client = Client(AuthApp(observed.auth))
    await client.post("/login", ACCOUNT | {"password": "wrong"})
    observed.auth.storage.user_with_credential = away  # type: ignore[method-assign,assignment]
    await client.post("/login", ACCOUNT)
    observed.auth.before("login", lambda _: 1 / 0)
    await client.post("/login", ACCOUNT)

    assert [(span.attributes or {})["error.type"] for span in observed.spans] == [
        "invalid_credentials",
        "storage_unavailable",
        "ZeroDivisionError",
    ]
    assert [span.status.status_code for span in observed.spans] == [
        StatusCode.UNSET,
        StatusCode.ERROR,
        StatusCode.ERROR,
    ]
    assert [span.events for span in observed.spans] == [(), (), ()]


async def test_events_are_counted_by_name_outcome_and_code(observed: Observed) -> None:
    await register(observed.auth)
    for _ in range(3):
        await login(observed.auth)
    await Client(AuthApp(observed.auth)).post("/login", ACCOUNT | {"password": "wrong"})

    counts = set(observed.counts())

    assert {("register", "success", "user_created", 1), ("login", "success", "authn_login_success", 3)} <= counts
    assert ("login", "failure", "authn_login_fail", 1) in counts


async def test_nothing_about_people_stands_in_spans_and_counters(observed: Observed) -> None:
    user_id = await register(observed.auth)
    pair = await login(observed.auth)
    await Client(AuthApp(observed.auth)).post("/login", ACCOUNT | {"password": "wrong"})

    told = "".join(span.to_json() for span in observed.spans) + str(observed.reader.get_metrics_data())

    assert [word for word in (user_id, EMAIL, PASSWORD, "192.0.2.7", str(pair.access_token)) if word in told] == []


def test_it_is_off_by_default_and_then_not_even_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, SECRET], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_without_the_package_switching_it_on_is_an_error_that_names_the_extra() -> None:
    done = subprocess.run([sys.executable, "-c", MISSING, SECRET], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "ValueError: telemetry needs OpenTelemetry: pip install 'asgi-auth[otel]'" in done.stderr


def test_the_providers_of_the_host_are_taken() -> None:
    auth = Auth("sqlite://", settings=Settings(secret=SECRET, telemetry=True))

    assert isinstance(auth.stream.telemetry, Telemetry)
