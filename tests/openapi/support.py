"""Whether an answer is one that a document describes."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

EVERYWHERE = ("NotFound", "MethodNotAllowed")


def resolve(document: Mapping[str, Any], item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, if it is one."""
    found: Any = document
    for part in item.get("$ref", "#").split("/")[1:]:
        found = found[part]
    return found if "$ref" in item else item


def is_at(template: str, path: str) -> bool:
    """Tell whether a path is one of a template."""
    parts, segments = template.split("/"), path.rstrip("/").split("/")
    return len(parts) == len(segments) and all(
        part == segment or (part.startswith("{") and bool(segment))
        for part, segment in zip(parts, segments, strict=True)
    )


def operation(document: Mapping[str, Any], method: str, path: str) -> Mapping[str, Any] | None:
    """The operation of a path without templates; None when there is none."""
    method = {"head": "get"}.get(method.lower(), method.lower())
    for template, operations in document["paths"].items():
        if is_at(template, path):
            return operations.get(method)  # type: ignore[no-any-return]  # JSON
    return None


def check(document: Mapping[str, Any], method: str, path: str, answer: Any) -> None:
    """Assert that the document describes this answer: its status, headers, type, and body with its code."""
    found = operation(document, method, path)
    if found is None:
        named = [resolve(document, document["components"]["responses"][name]) for name in EVERYWHERE]
        responses = {"404": named[0], "405": named[1]} | ({"204": {}} if method == "OPTIONS" else {})
    else:
        responses = {status: resolve(document, item) for status, item in found["responses"].items()}
    where = f"{method} {path}: {answer.status} {answer.body[:300]!r}"
    response = responses.get(str(answer.status))
    assert response is not None, f"not in the document: {where}"
    for name, header in response.get("headers", {}).items():
        assert answer.header(name.lower()) is not None or not header.get("required"), f"no {name}: {where}"
    content = response.get("content", {})
    if method == "HEAD" or not content:
        assert not answer.body, where
        return
    kind = (answer.header("content-type") or "").partition(";")[0]
    assert kind in content, f"{kind}: {where}"
    schema = {**content[kind]["schema"], "components": document["components"]}
    value = answer.body.decode() if schema.get("type") == "string" else json.loads(answer.body)
    error = next(jsonschema_rs.Draft202012Validator(schema).iter_errors(value), None)
    assert error is None, f"{error and error.message}: {where}"
