"""The command about the client for browsers: `client`. It writes the files for a project with a bundler."""

import asyncio
from argparse import ArgumentParser
from pathlib import Path

from asgi_auth.command.command import DONE, Command, Job
from asgi_auth.command.refusals import RefusedError
from asgi_auth.features.browser_client import BrowserClient


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="the folder of the files")


async def client(job: Job) -> int:
    """Write `client.js` and `client.d.ts`. Raises RefusedError for an app without the feature, and for no folder."""
    feature = job.target.auth.get(BrowserClient)
    if feature is None:
        raise RefusedError("the app has no BrowserClient among its features: name it by --app", "no_browser_client")
    texts = {"client.js": await feature.client_script(), "client.d.ts": await feature.client_types()}
    paths = [job.options.folder / name for name in texts]
    try:
        for path, file in zip(paths, texts.values(), strict=True):
            await asyncio.to_thread(path.write_text, file.text, "utf-8")
    except OSError as error:
        raise RefusedError(f"{error.filename} cannot be written: {error.strerror}", "unwritable") from error
    job.output.show({"files": [str(path) for path in paths]}, "\n".join(map(str, paths)))
    return DONE


COMMANDS = (Command("client", "write the client for browsers and its types", client, _arguments),)
