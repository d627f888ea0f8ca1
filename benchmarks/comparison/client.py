"""A client over the standard library: one connection, and the credentials of a login."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from benchmarks.comparison.contenders import Call, Contender


@dataclass(frozen=True)
class Answer:
    """A status, a text, the cookies that were set, and the seconds until all was read."""

    status: int
    text: str
    cookies: tuple[str, ...]
    seconds: float


class Client:
    """Calls a contender at a port of this machine."""

    def __init__(self, contender: Contender, port: int) -> None:
        """Open no connection yet."""
        self.contender, self.port = contender, port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def send(
        self, call: Call, email: str = "", password: str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a call for a user; the headers are those of a page of the site."""
        filled = call.filled(email) if password is None else call.filled(email, password)
        body, kind = None, {"Origin": f"http://127.0.0.1:{self.port}"}
        if call.method != "GET":
            body = urlencode(filled) if call.form else json.dumps(filled)
            kind["Content-Type"] = "application/x-www-form-urlencoded" if call.form else "application/json"
        started = time.perf_counter()
        self._connection.request(call.method, call.path, body=body, headers={**kind, **(headers or {})})
        response = self._connection.getresponse()
        text = response.read().decode()
        cookies = tuple(value.partition(";")[0] for value in response.msg.get_all("Set-Cookie", []))
        return Answer(response.status, text, cookies, time.perf_counter() - started)

    def login(self, email: str) -> dict[str, str]:
        """Log in, and return the headers of an authenticated request."""
        answer = self.send(self.contender.login, email)
        if answer.status != 200:
            raise RuntimeError(f"{self.contender.title}: login is {answer.status}: {answer.text[:200]}")
        if not self.contender.token:
            values = dict(cookie.split("=", 1) for cookie in answer.cookies)
            return {"Cookie": "; ".join(answer.cookies), "X-CSRF-Token": values.get("csrf_token", "")}
        value: Any = json.loads(answer.text)
        for name in self.contender.token:
            value = value[name]
        name, shape = self.contender.header
        return {name: shape.format(value)}
