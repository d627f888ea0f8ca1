"""The codes of an authenticator app."""

import base64
import time
from collections.abc import Callable

from asgi_auth.features.totp.codes import PERIOD, code_at


def totp_code(secret: str, at: float | Callable[[], float] = time.time) -> str:
    """Return the code that an authenticator app shows for a secret (RFC 6238).

    `secret` is the text that `POST /totp/setup` returns; `at` is a clock, or the time in seconds since 1970. The server
    accepts each code once: move the clock by 30 seconds before the next one.
    """
    text = secret.replace(" ", "").upper()
    key = base64.b32decode(text + "=" * (-len(text) % 8))
    return code_at(key, int((at() if callable(at) else at) // PERIOD))
