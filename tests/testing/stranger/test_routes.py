"""The guards of the app, without a login."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from asgi_auth import AuthMiddleware
from asgi_auth.testing import as_user


@pytest.mark.parametrize(
    ("method", "path", "who", "expected"),
    [
        ("GET", "/notes", {"roles": "reader"}, 200),
        ("GET", "/notes", {}, 403),
        ("POST", "/notes?text=hello", {"roles": "writer"}, 201),
        ("POST", "/notes?text=hello", {"roles": "reader"}, 403),
        ("POST", "/notes?text=hello", {"permissions": "notes:write"}, 201),
        ("DELETE", "/notes", {"roles": "admin", "mfa": True}, 204),
        ("DELETE", "/notes", {"roles": "admin"}, 403),
        ("GET", "/billing", {}, 200),
        ("GET", "/billing", {"verified": False}, 403),
        ("GET", "/billing", {"age": 601}, 401),
        ("GET", "/plan", {"claims": {"plan": "gold"}}, 200),
    ],
)
def test_who_may_what(client: TestClient, method: str, path: str, who: dict[str, Any], expected: int) -> None:
    with as_user(**who):
        assert client.request(method, path).status_code == expected
    assert client.request(method, path).status_code == 401


def test_a_note_has_its_writer(client: TestClient) -> None:
    with as_user(user="ada@example.com", roles="writer") as ada:
        assert client.post("/notes?text=hello").json() == {"text": "hello", "by": ada.id}
        assert client.get("/billing").json() == "ada@example.com"
    with as_user(claims={"plan": "gold"}):
        assert client.get("/plan").json() == "gold"


def test_the_websocket_knows_who_listens(app: AuthMiddleware) -> None:
    with as_user(app) as user, TestClient(app).websocket_connect("/live") as socket:
        assert socket.receive_json() == {"user": user.id, "notes": 0}


def test_a_role_that_is_spelled_wrong_is_an_error(client: TestClient) -> None:
    with pytest.raises(Exception, match="no role"), as_user(roles="wirter"):
        client.get("/notes")
