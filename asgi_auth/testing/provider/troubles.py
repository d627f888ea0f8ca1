"""Troubles of a provider's server: it answers late, too much, with errors, elsewhere or not at all."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from asgi_auth.testing.provider.wire import Response


@dataclass(frozen=True)
class Trouble:
    """What is wrong with the answers of an endpoint, beside which they are right.

    `status` replaces the status and the body, `body` the body, `location` makes a redirect. `padding` is a number of
    bytes of white space behind the body, `seconds` is a wait before the answer. `gone` refuses the connection: behind
    a server it is an answer with status 500.
    """

    status: int = 0
    body: bytes | None = None
    location: str = ""
    padding: int = 0
    seconds: float = 0
    gone: bool = False

    async def answer(self, honest: Callable[[], Response]) -> Response:
        """Return an answer with the trouble."""
        if self.gone:
            raise ConnectionRefusedError("the provider is away")
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if self.location:
            return Response(302, b"", [("location", self.location)])
        if self.status:
            return Response(self.status, b"<h1>Trouble</h1>", [("content-type", "text/html")])
        response = honest()
        body = response.body if self.body is None else self.body
        return replace(response, body=body + b" " * self.padding)


#: The troubles that each endpoint can have. A slow one takes an hour.
TROUBLES = {
    "gone": Trouble(gone=True),
    "500": Trouble(status=500),
    "503": Trouble(status=503),
    "404": Trouble(status=404),
    "five megabytes": Trouble(padding=5 * 1024 * 1024),
    "slow": Trouble(seconds=3600),
    "a redirect to this machine": Trouble(location="http://127.0.0.1/latest/meta-data"),
    "a redirect to another server": Trouble(location="https://elsewhere.example/"),
    "an empty body": Trouble(body=b""),
    "no JSON": Trouble(body=b"<html>"),
    "a list": Trouble(body=b"[]"),
    "deeply nested JSON": Trouble(body=b"[" * 200_000),
    "no UTF-8": Trouble(body=b'{"error": "\xff"}'),
}
