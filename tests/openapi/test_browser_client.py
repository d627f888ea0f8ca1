"""The types of the client for browsers pass the strictest TypeScript, with a page that uses them."""

import json
import shutil
from pathlib import Path

import pytest

from asgi_auth import BrowserClient
from asgi_auth.features.defaults import defaults
from tests.openapi.everything import everything
from tests.openapi.test_clients import FILES, run, tool
from tests.support import make_auth

#: Beside those of the other samples.
OPTIONS = {"noUncheckedIndexedAccess": True, "lib": ["es2022", "dom", "dom.iterable"]}


@pytest.mark.timeout(120)
async def test_a_page_is_checked_by_the_types_of_the_client(tmp_path: Path) -> None:
    project = json.loads((FILES / "tsconfig.json").read_text("utf-8"))
    project["compilerOptions"] |= OPTIONS
    project["files"] = ["browser.ts", "bare.ts"]
    (tmp_path / "tsconfig.json").write_text(json.dumps(project), "utf-8")
    shutil.copy(FILES / "browser.ts", tmp_path)
    shutil.copy(FILES / "bare.ts", tmp_path)
    bare = make_auth(features=[*defaults(mail=False), BrowserClient()])
    for name, auth in (("client", everything()), ("bare-client", bare)):
        types = await auth[BrowserClient].client_types()
        (tmp_path / f"{name}.d.ts").write_text(types.text, "utf-8")

    run(tool("tsc"), "--project", tmp_path, folder=tmp_path)
