"""The logger `asgi_auth`. Filters and handlers of the host can fail a record, but not the call that logs it."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any


class QuietLogger(logging.LoggerAdapter[logging.Logger]):
    """Logs without raising: the error of a filter or a handler is printed to the standard error stream."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Return both as they are; the base class would replace `extra`."""
        return msg, kwargs

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a message. All other methods call this one."""
        try:
            # The record names the caller of the logger, not this method.
            super().log(level, msg, *args, **kwargs, stacklevel=2)
        except Exception:  # noqa: BLE001 (filters and handlers of the host can raise anything)
            if logging.raiseExceptions and sys.stderr is not None:
                traceback.print_exc(file=sys.stderr)


logger: QuietLogger = QuietLogger(logging.getLogger("asgi_auth"), {})
