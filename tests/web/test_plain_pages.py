"""Pages by http: browsers drop cookies with `Secure` there, and the configuration check says so."""

import pytest

from asgi_auth import AuthApp, Passwords, Sessions
from tests.support import call, http_scope, make_auth


@pytest.mark.parametrize(
    ("host", "origins", "is_found"),
    [
        ("192.0.2.7:8000", ["http://192.0.2.7:8000"], True),
        ("box.lan", ["http://box.lan"], True),
        ("box.lan", ["https://box.lan"], False),
        ("box.lan", ["http://elsewhere.example"], False),
        ("box.lan", [], False),
        ("localhost:8000", ["http://localhost:8000"], False),
        ("127.0.0.1:8000", ["http://127.0.0.1:8000"], False),
        ("[::1]:8000", ["http://[::1]:8000"], False),
        ("box.lan", ["http://box.lan", "http://box.lan"], False),
    ],
)
async def test_a_page_by_http_where_browsers_drop_the_cookies_is_found_once(
    host: str, origins: list[str], *, is_found: bool, caplog: pytest.LogCaptureFixture
) -> None:
    headers = [(b"host", host.encode()), *((b"origin", origin.encode()) for origin in origins)]
    async with make_auth(base_url=None, features=[Passwords(), Sessions()], mailer=None, enumeration="tell") as auth:
        for _ in range(2):
            await call(AuthApp(auth), {**http_scope("POST", "/login"), "headers": headers})

        found = [finding for finding in auth.check() if "by http" in finding.reason]
    assert len(found) == is_found
    assert sum("by http" in record.getMessage() for record in caplog.records) == is_found
