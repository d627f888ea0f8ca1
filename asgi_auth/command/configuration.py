"""Commands about the configuration: `check` and `config`."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from asgi_auth.command.command import DONE, FOUND, Command, Job
from asgi_auth.command.refusals import RefusedError, refusal_of
from asgi_auth.errors import StorageSetupError, StorageUnavailableError
from asgi_auth.runtime.config_check import Finding
from asgi_auth.settings import Settings


async def check(job: Job) -> int:
    """Print the findings; 1 if there are any."""
    sealed = await _sealed(job)
    await _examine(job)
    findings = [*_configured(job), *sealed]
    if job.output.as_json:
        job.output.show({"findings": [each._asdict() for each in findings]}, "")
    else:
        for finding in findings:
            job.output.line("{}: {}. {}.".format(*finding))
        if not findings:
            job.output.line("No problems found.")
    return FOUND if findings else DONE


def _configured(job: Job) -> list[Finding]:
    """Find mistakes in settings and, in those of an app, in what goes with them."""
    found = job.target.auth.check()
    if job.target.app is not None:
        return found
    job.output.note("asgi-auth: only settings were checked; --app names an app to check with its features and mailer")
    return [finding for finding in found if finding.setting != "mailer"]


async def _examine(job: Job) -> None:
    """Let a storage that can do so look at its server, for the findings about it."""
    storage: Any = job.target.storage
    if not hasattr(storage, "examine"):
        return
    try:
        await storage.open()
        await storage.examine()
    except (StorageUnavailableError, StorageSetupError) as error:
        job.output.note(f"asgi-auth: the database was not examined: {refusal_of(error)}")
    finally:
        await storage.close()


async def _sealed(job: Job) -> list[Finding]:
    """Find rows that no secret, or only an older one, opens. A database without tables, or none, has none to name."""
    auth = job.target.auth
    if not auth.resealing.kinds:
        return []
    try:
        async with job.started(reads=True):
            outdated, lost = await auth.resealing.look()
    except (StorageUnavailableError, RefusedError) as error:
        job.output.note(f"asgi-auth: rows were not checked: {refusal_of(error)}")
        return []
    return list(_sealed_findings(outdated, lost))


def _sealed_findings(outdated: int, lost: int) -> list[Finding]:
    found = []
    if outdated:
        reason = f"{outdated} rows are sealed with an older secret, and cannot be read without it"
        found.append(Finding("secret", reason, "Run asgi-auth secrets reseal before you drop the older secret"))
    if lost:
        reason = f"{lost} rows are sealed with a secret that is not listed, so their users cannot use them"
        found.append(Finding("secret", reason, "List the secret that sealed them after the newest, and reseal"))
    return found


async def config(job: Job) -> int:
    """Print every setting with its value and where it comes from; secrets are hidden."""
    target = job.target
    settings, origins = target.settings, target.origins
    rows = [
        {"setting": item.name, "value": visible(settings, item.name), "from": origins.get(item.name, "default")}
        for item in fields(settings)
    ]
    database = target.database
    data: Mapping[str, Any] = {"app": target.app, "database": database, "settings": rows}
    lines = [f"app = {target.app}"] if target.app else []
    lines.append(f"database = {database}")
    lines += [f"{row['setting']} = {json.dumps(row['value'], ensure_ascii=False)}  ({row['from']})" for row in rows]
    job.output.show(data, "\n".join(lines))
    return DONE


def visible(settings: Settings, name: str) -> Any:
    """Return the value of a setting for JSON, without anything secret."""
    value = getattr(settings, name)
    if name == "secret":
        return f"{len(settings.secrets)} hidden"
    if name == "signing_keys":
        return [f"{key.algorithm} {key.kid}" for key in value]
    if name == "fields":
        return [item.name for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, str | bool | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value]


COMMANDS = (
    Command("check", "list the settings that will not work or are not safe", check, app_first=True),
    Command("config", "show all settings and where they come from, without secrets", config),
)
