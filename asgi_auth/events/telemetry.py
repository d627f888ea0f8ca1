"""OpenTelemetry: a span around each call of an endpoint, a counter of events. Loaded only when telemetry is on."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from asgi_auth.errors import AuthError
from asgi_auth.events.hooks import logged
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
        span = _Span(self._tracer, endpoint, self._error)
        try:
            yield
        except AuthError as error:
            span.end(error.code, server_error=error.status >= 500)
            raise
        except BaseException as error:
            span.end(type(error).__name__, server_error=isinstance(error, Exception))
            raise
        span.end()

    def count(self, event: Event) -> None:
        """Count an event by name, outcome and code."""
        labels = {"event": event.name, "outcome": event.outcome, "code": event.code}
        self._events.add(1, {f"{NAME}.{name}": value for name, value in labels.items()})


class _Span:
    """A span whose errors, such as those of a span processor of the host, are logged and change nothing."""

    def __init__(self, tracer: Any, endpoint: str, error_status: Any) -> None:
        self._error_status = error_status
        self._open: Any = None
        self._span: Any = None
        with logged("a tracer failed"):
            attributes = {"asgi_auth.endpoint": endpoint}
            options = {"record_exception": False, "set_status_on_exception": False}
            self._open = tracer.start_as_current_span(f"{NAME} {endpoint}", attributes=attributes, **options)
            self._span = self._open.__enter__()

    def end(self, reason: str = "", *, server_error: bool = False) -> None:
        """Set the outcome, which is a success without a reason, and end the span."""
        if self._span is None:
            return
        with logged("a tracer failed"):
            self._span.set_attribute("asgi_auth.outcome", "failure" if reason else "success")
            if reason:
                self._span.set_attribute("error.type", reason)
            if server_error:
                self._span.set_status(self._error_status)
        with logged("a tracer failed"):
            self._open.__exit__(None, None, None)
