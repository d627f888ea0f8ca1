"""A proxy strips a prefix: how a server that is told of it shows it to the app, as the guide on proxies says."""

import sys
from pathlib import Path

import httpx2
import pytest

from tests.cluster import free_port
from tests.deploy.programs import HOST, ROOT, running
from tests.docs.files import DOCS
from tests.support import SECRET

APP = """
import os

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from asgi_auth import Auth, AuthMiddleware


async def home(request):
    return JSONResponse({"url": str(request.url), "url_for": str(request.url_for("home"))})


auth = Auth("sqlite://", secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(Starlette(routes=[Route("/", home, name="home")]), auth, mount="/auth")
"""
WITH, WITHOUT = f"http://{HOST}/app/", f"http://{HOST}/"
ROWS = {
    "uvicorn": ("| `uvicorn app:app --root-path /app` | with the prefix | with the prefix |", WITH, WITH),
    "gunicorn": (
        '| `root_path = "/app"` in `gunicorn.conf.py` | with the prefix | without the prefix |',
        WITH,
        WITHOUT,
    ),
    "neither": ("| neither | without the prefix | without the prefix |", WITHOUT, WITHOUT),
}


def command(server: str, port: int) -> list[str]:
    if server == "gunicorn":
        return ["gunicorn", "-k", "asgi", "-b", f"127.0.0.1:{port}", "--root-path", "/app", "app:app"]
    return ["uvicorn", "app:app", "--port", str(port), *(["--root-path", "/app"] if server == "uvicorn" else [])]


@pytest.mark.parametrize("server", list(ROWS))
def test_the_prefix_reaches_the_app_as_the_guide_says(server: str, tmp_path: Path) -> None:
    row, url_for, url = ROWS[server]
    (tmp_path / "app.py").write_text(APP, "utf-8")
    environment = {"AUTH_SECRET": SECRET, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    port = free_port()
    with (
        running([sys.executable, "-m", *command(server, port)], port, tmp_path, environment),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers={"Host": HOST}, timeout=30) as client,
    ):
        # As a proxy that has stripped the prefix.
        shown = client.get("/").json()
        health = client.get("/auth/health").json()

    assert shown == {"url": url, "url_for": url_for}
    assert health == {"status": "ok"}
    assert row in (DOCS / "guides" / "proxies.md").read_text("utf-8")
