"""OpenTelemetry: a span around each call of an endpoint, a counter of events. Loaded only when telemetry is on."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from asgi_auth.errors import AuthError
from asgi_auth.model.records import Event

NAME = "asgi_auth"


class Telemetry:
    """Spans and counters, by the host's global providers or by the given ones (for tests).

    They contain names of endpoints, events, outcomes and errors, but no user, address or token.
    """

    def __init__(self, tracer_provider: Any = None, meter_provider: Any = None) -> None:
        """Import the OpenTelemetry API. Raises ValueError when the package is missing."""
        try:
            trace, metrics = import_module("opentelemetry.trace"), import_module("opentelemetry.metrics")
        except ImportError:
            raise ValueError("telemetry needs OpenTelemetry: pip install 'asgi-auth[otel]'") from None
        self._error = trace.Status(trace.StatusCode.ERROR)
        self._tracer = trace.get_tracer(NAME, tracer_provider=tracer_provider)
        meter = metrics.get_meter(NAME, meter_provider=meter_provider)
        self._events = meter.create_counter("asgi_auth.events", unit="{event}", description="Events of the library.")

    @contextmanager
    def span(self, endpoint: str) -> Iterator[None]:
        """Open a span while an endpoint runs. Only server errors set the error status; refusals set the error type."""
        attributes = {"asgi_auth.endpoint": endpoint}
        options = {"record_exception": False, "set_status_on_exception": False}
        with self._tracer.start_as_current_span(f"{NAME} {endpoint}", attributes=attributes, **options) as span:
            try:
                yield
                span.set_attribute("asgi_auth.outcome", "success")
            except AuthError as error:
                self._fail(span, error.code, server_error=error.status >= 500)
                raise
            except Exception as error:
                self._fail(span, type(error).__name__, server_error=True)
                raise

    def _fail(self, span: Any, reason: str, *, server_error: bool) -> None:
        span.set_attribute("asgi_auth.outcome", "failure")
        span.set_attribute("error.type", reason)
        if server_error:
            span.set_status(self._error)

    def count(self, event: Event) -> None:
        """Count an event by name, outcome and code."""
        labels = {"event": event.name, "outcome": event.outcome, "code": event.code}
        self._events.add(1, {f"{NAME}.{name}": value for name, value in labels.items()})
