"""A reload of gunicorn, as the unit of systemd makes it, serves a new version of the app."""

import os
import shutil
import signal
import time
from pathlib import Path

import httpx2

from tests.deploy.programs import FILES, HOST, app_under_gunicorn

MEMBER = '"url": str(request.url)'


def test_a_reload_serves_the_new_code(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    module = Path(shutil.copy(FILES / "app.py", code))
    old = module.read_text("utf-8")
    assert MEMBER in old

    with app_under_gunicorn(tmp_path, f"https://{HOST}", workers=1, code=code) as port:
        before = shown_by(port)
        module.write_text(old.replace(MEMBER, f'{MEMBER}, "version": "new"'), "utf-8")
        os.kill(int((tmp_path / "pid").read_text("utf-8")), signal.SIGHUP)
        after = shown_by(port)
        while "version" not in after:
            time.sleep(0.1)
            after = shown_by(port)

    assert "version" not in before
    assert after["version"] == "new"


def shown_by(port: int) -> dict[str, str]:
    """Return what the app shows, by a new connection; a worker that starts or ends may drop one."""
    while True:
        try:
            shown: dict[str, str] = httpx2.get(f"http://127.0.0.1:{port}/", timeout=30).json()
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return shown
