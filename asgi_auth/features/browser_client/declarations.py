"""TypeScript for an OpenAPI document: the types of its schemas, its endpoints and the codes of its errors."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
#: The fields that the client or a cookie fills in.
FILLED_IN = frozenset({"pending", "refresh_token", "parked"})
#: The end of the names of bodies.
BODY = "Request"
IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
JSON_TYPE = "application/json"
PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def declarations(document: Mapping[str, Any]) -> str:
    """Return the declarations of a document: `Schema`, `Endpoints` and `KnownCode`."""
    components = document["components"]["schemas"]
    schemas = [f"  type {name} = {_of_component(name, schema)};" for name, schema in components.items()]
    endpoints = [
        _endpoint(path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if _is_called_by_scripts(operation)
    ]
    codes = " | ".join(json.dumps(code) for code in sorted(set(_codes(document))))
    return "\n".join(
        [
            "/** The bodies and answers of the endpoints. */",
            "export namespace Schema {",
            *schemas,
            "}",
            "",
            "/** The endpoints by name. */",
            "export interface Endpoints {",
            *endpoints,
            "}",
            "",
            "/** The codes of the errors of the endpoints. */",
            f"export type KnownCode = {codes};",
            "",
        ]
    )


def _of_component(name: str, schema: Schema) -> str:
    return typed(schema, optional=FILLED_IN if name.endswith(BODY) else frozenset())


def _endpoint(path: str, method: str, operation: Mapping[str, Any]) -> str:
    summary = operation["summary"].replace("*/", "* /")
    parts = f'method: "{method.upper()}"; path: {json.dumps(path)}; values: {_values(operation)}; answer: '
    return f"  /** {summary} */\n  {_key(operation['operationId'])}: {{ {parts}{_answer(operation)} }};"


def _values(operation: Mapping[str, Any]) -> str:
    """Return the type of what an endpoint takes: the values in its path and query, and its body."""
    sent = [item for item in operation.get("parameters", ()) if item["in"] in {"path", "query"}]
    named = {item["name"]: item["schema"] for item in sent}
    parts = [
        *([_object(named, {item["name"] for item in sent if item["required"]})] if named else []),
        *([typed(operation["requestBody"]["content"][JSON_TYPE]["schema"])] if "requestBody" in operation else []),
    ]
    return " & ".join(f"({part})" for part in parts) if len(parts) > 1 else parts[0] if parts else "{}"


def _answer(operation: Mapping[str, Any]) -> str:
    """Return the type of the answers of an endpoint; a text is a string, and an empty one is null."""
    contents = [item.get("content", {}) for status, item in operation["responses"].items() if status.startswith("2")]
    return " | ".join(dict.fromkeys(map(_of_content, contents)))


def _of_content(content: Mapping[str, Any]) -> str:
    if JSON_TYPE in content:
        return typed(content[JSON_TYPE]["schema"])
    return "string" if content else "null"


def _is_called_by_scripts(operation: Mapping[str, Any]) -> bool:
    """Tell whether a script can call an endpoint: by JSON, and with an answer that is no redirect."""
    reads = JSON_TYPE in operation.get("requestBody", {}).get("content", {JSON_TYPE: {}})
    return reads and any(status.startswith("2") for status in operation["responses"])


def _codes(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the codes of all errors of a document."""
    responses = [*document["components"]["responses"].values()]
    for operations in document["paths"].values():
        responses += [item for operation in operations.values() for item in operation["responses"].values()]
    for response in responses:
        problem = response.get("content", {}).get("application/problem+json", {}).get("schema", {})
        yield from problem.get("properties", {}).get("code", {}).get("enum", ())


def typed(schema: Schema, optional: Collection[str] = ()) -> str:
    """Return the type of a JSON Schema. `optional`: properties that need not be there, whatever the schema requires."""
    if "$ref" in schema:
        return f"Schema.{schema['$ref'].rpartition('/')[2]}"
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    for union in ("oneOf", "anyOf"):
        if union in schema:
            return " | ".join(dict.fromkeys(typed(item, optional) for item in schema[union]))
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return " | ".join(_of_kind(kind, schema, optional) for kind in kinds) or "unknown"


def _of_kind(kind: str, schema: Schema, optional: Collection[str]) -> str:
    if kind == "array":
        return f"Array<{typed(schema.get('items', {}))}>"
    if kind != "object":
        return PLAIN[kind]
    properties, others = schema.get("properties"), schema.get("additionalProperties")
    if properties is None:
        return f"Record<string, {typed(others) if isinstance(others, Mapping) else 'unknown'}>"
    return _object(properties, set(schema.get("required", ())).difference(optional))


def _object(properties: Mapping[str, Schema], required: Collection[str]) -> str:
    fields = [
        f"{_key(name)}: {typed(schema)}" if name in required else f"{_key(name)}?: {typed(schema)} | undefined"
        for name, schema in properties.items()
    ]
    return f"{{ {'; '.join(fields)} }}" if fields else "Record<string, never>"


def _key(name: str) -> str:
    return name if IDENTIFIER.fullmatch(name) else json.dumps(name)
