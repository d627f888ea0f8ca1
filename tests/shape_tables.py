"""The tables of answers and objects in the documentation, made from the OpenAPI document and the classes."""

import ast
import inspect
import re
from collections.abc import Iterator
from textwrap import dedent
from typing import Any

from asgi_auth import AuthApp, Identity, Mail
from asgi_auth.feature.route import Served
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Client, Event, User
from asgi_auth.openapi import Info, document
from tests.markdown import table

#: What an app receives, in the order of the page.
OBJECTS = (Identity, User, Event, Client, TokenPair, Mail)


def responses(app: AuthApp) -> str:
    """Return two tables: the successful answers of each endpoint, and the fields of each body."""
    made = document(app.auth, Served(app.routes, "/auth"), Info())
    answers = [
        [f"`{method.upper()} {path}`", status, _body(answer)]
        for path, methods in made["paths"].items()
        for method, operation in methods.items()
        for status, answer in operation["responses"].items()
        if status < "400"
    ]
    schemas = made["components"]["schemas"]
    bodies = [
        [f'<span id="{name.lower()}"></span>`{name}`', _fields(schema), _line(schema.get("description", ""))]
        for name, schema in schemas.items()
        if not name.endswith("Request") and name in _answered(made)
    ]
    return "\n\n".join(
        [
            "### By endpoint",
            table(["endpoint", "status", "body"], answers),
            "### Bodies",
            table(["body", "fields", "meaning"], bodies),
        ]
    )


def _body(answer: dict[str, Any]) -> str:
    """Return the link to a body; its media types where it is a file; where it leads if it is a redirect."""
    content = answer.get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        return _linked(schema["$ref"])
    if content:
        return ", ".join(f"`{kind}`" for kind in content)
    return "none; see the header `Location`" if "Location" in answer.get("headers", {}) else "none"


def _answered(made: dict[str, Any]) -> set[str]:
    """Return the names of the schemas that the answers refer to, one within the other."""
    names = set(re.findall(r"schemas/(\w+)", str([_of_answers(methods) for methods in made["paths"].values()])))
    names |= {"Problem"}
    while more := set(re.findall(r"schemas/(\w+)", str([made["components"]["schemas"][name] for name in names]))):
        if more <= names:
            break
        names |= more
    return names


def _of_answers(methods: dict[str, Any]) -> list[Any]:
    return [operation["responses"] for operation in methods.values()]


def _fields(schema: dict[str, Any]) -> str:
    required, fields = schema.get("required", ()), schema.get("properties", {})
    return "<br>".join(f"`{name}`{'' if name in required else '?'} {_type(value)}" for name, value in fields.items())


def _type(schema: dict[str, Any]) -> str:
    """Return a JSON type in words; other bodies are links."""
    if "$ref" in schema:
        return _linked(schema["$ref"])
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", "any value"))


def _linked(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return f"[`{name}`](#{name.lower()})"


def _line(text: str) -> str:
    return " ".join(text.split())


def objects() -> str:
    """Return a heading and a table for each class: its attributes, their types and their meanings."""
    return "\n\n".join(
        f"### {kind.__name__}\n\n{_line(inspect.getdoc(kind) or '')}\n\n"
        + table(["attribute", "type", "meaning"], list(_attributes(kind)))
        for kind in OBJECTS
    )


def _attributes(kind: type[Any]) -> Iterator[list[str]]:
    """Yield the public attributes and properties of a class, in the order of the source."""
    (definition,) = ast.parse(dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    for item, follower in zip(definition.body, [*definition.body[1:], None], strict=True):
        if isinstance(item, ast.AnnAssign) and "ClassVar" not in ast.unparse(item.annotation):
            name = ast.unparse(item.target)
            if not name.startswith("_"):
                yield [f"`{name}`", _annotation(item.annotation), _string(follower)]
        elif isinstance(item, ast.FunctionDef) and "property" in map(ast.unparse, item.decorator_list):
            assert item.returns is not None
            yield [f"`{item.name}`", _annotation(item.returns), _line(ast.get_docstring(item) or "")]


def _annotation(annotation: ast.expr) -> str:
    text = ast.unparse(annotation).removeprefix("Annotated[").removesuffix(", NULL_IS_SENT]")
    return f"`{text}`"


def _string(follower: ast.stmt | None) -> str:
    """Return the docstring below an attribute."""
    assert isinstance(follower, ast.Expr)
    assert isinstance(follower.value, ast.Constant)
    return _line(str(follower.value.value))
