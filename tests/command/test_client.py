"""The command `client`: the files of the client for browsers, as the app serves them."""

from pathlib import Path

from tests.command.commands import Commands, write_app


def test_it_writes_what_the_app_serves(commands: Commands, tmp_path: Path) -> None:
    commands._patch.chdir(tmp_path)
    app = write_app(tmp_path, commands.url, more="BrowserClient()")
    folder = tmp_path / "auth"

    missing = commands("client", str(folder), "--app", app)
    folder.mkdir()
    done = commands.ok("client", str(folder), "--app", app)

    assert (missing.status, missing.line) == (
        1,
        f"asgi-auth: {folder}/client.js cannot be written: No such file or directory",
    )
    assert done["files"] == [str(folder / "client.js"), str(folder / "client.d.ts")]
    assert "export function createClient" in (folder / "client.js").read_text("utf-8")
    assert '  login: { method: "POST"; path: "/login";' in (folder / "client.d.ts").read_text("utf-8")
    assert commands("client", str(folder)).line.startswith("asgi-auth: the app has no BrowserClient")
