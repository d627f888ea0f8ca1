"""What a stranger can compare: an answer without the values that are random in every installation."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.security.concealment.installation import Installation, Seen

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DIGEST = re.compile(r"\b[0-9a-f]{32}\b")
COOKIE = re.compile(r"^([^=;]+)=([^;]*)(.*)$", re.DOTALL)
#: Members of JSON that are random; of the others, every byte is compared.
RANDOM = {"access_token", "refresh_token", "id"}


def view_of(seen: Seen, installation: Installation, sent: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that must be equal in both installations; `sent` are random values that the caller sent."""
    answer = seen.answer
    installation.sent = dict(sent)
    return {
        "body": _body(answer.body, installation),
        "status": answer.status,
        "headers": [(name, _header(name, value, installation)) for name, value in answer.headers],
        "statements": seen.statements,
        "mails": seen.mails,
        "hashes": seen.hashes,
    }


def _body(body: bytes, installation: Installation) -> Any:
    text = body.decode("utf-8", "replace")
    try:
        return _json(json.loads(text), installation)
    except ValueError:
        return _text(text, installation)


def _json(value: Any, installation: Installation) -> Any:
    if isinstance(value, dict):
        return {
            key: f"<{len(str(item))} characters>" if key in RANDOM else _json(item, installation)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_json(item, installation) for item in value]
    return _text(value, installation) if isinstance(value, str) else value


def _text(text: str, installation: Installation) -> str:
    """Name the `request` values: which of the earlier ones it is, can be seen by a stranger."""
    for number, request in enumerate(installation.requests):
        text = text.replace(request, f"<request {number}>")
    for kind, value in installation.sent.items():
        text = text.replace(value, f"<{kind}>")
    return DIGEST.sub("<digest>", UUID.sub("<uuid>", text))


def _header(name: str, value: str, installation: Installation) -> str:
    if name == "set-cookie":
        return COOKIE.sub(lambda match: f"{match[1]}=<{len(match[2])} characters>{match[3]}", value)
    if name == "content-length":
        return value
    if name == "etag":
        return f"<{len(value)} characters>"
    return _text(value, installation)
