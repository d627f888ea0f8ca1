"""What a function of the library reaches: its calls are followed through the source by the types of the receivers."""

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.test_architecture import FILES

#: A function, and the class of its `self`; None for a function of a module.
Function = tuple[Callable[..., Any], type | None]
PACKAGE = FILES[0].parents[len(FILES[0].parts) - FILES[0].parts.index("asgi_auth") - 2].parent


def reached(function: Callable[..., Any], owner: type | None, names: frozenset[str]) -> set[tuple[str, str]]:
    """Return the calls of methods with these names that a function reaches: the function that calls, and the name."""
    found, seen, waiting = set[tuple[str, str]](), set[Function](), [(function, owner)]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for call in (node for node in ast.walk(_tree(current[0])) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr in names:
                found.add((current[0].__qualname__, call.func.attr))
            elif (callee := _callee(call.func, *current)) is not None:
                waiting.append(callee)
    return found


@cache
def classes() -> dict[str, type]:
    """Return all classes of the library by name, without those of its testing kit."""
    found: dict[str, type] = {}
    for file in FILES:
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        if not {"__main__", "hosts", "testing"} & set(parts):
            module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
            own = {k: v for k, v in vars(module).items() if isinstance(v, type) and v.__module__ == module.__name__}
            found |= own
    return found


def _callee(func: ast.expr, function: Callable[..., Any], owner: type | None) -> Function | None:
    if isinstance(func, ast.Name):
        value = inspect.unwrap(function).__globals__.get(func.id)
        return (value, None) if inspect.isfunction(value) and value.__module__.startswith("asgi_auth") else None
    if not isinstance(func, ast.Attribute):
        return None
    receiver = _type(func.value, function, owner)
    if receiver is None:
        return None
    method = inspect.getattr_static(receiver, func.attr, None)
    return (method, receiver) if inspect.isfunction(method) else _given(receiver, func.attr)


@cache
def _given(receiver: type, name: str) -> Function | None:
    """Return the method that is given to the constructor of a class, which keeps it under a name."""
    source, parameters = inspect.getsource(receiver), list(inspect.signature(receiver).parameters)
    kept = re.search(rf"self\.{name} = (\w+)\n", source)
    if kept is None or kept[1] not in parameters:
        return None
    for file in FILES:
        if f"{receiver.__name__}(" not in (text := file.read_text("utf-8")):
            continue
        for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) == receiver.__name__ and len(call.args) > parameters.index(kept[1]):
                return _method_at(ast.unparse(call.args[parameters.index(kept[1])]))
    return None


def _method_at(text: str) -> Function | None:
    """Return the method that a text such as `auth.users.add` names."""
    first, *path = text.split(".")
    name = path.pop() if path else ""
    kind = classes()["Auth"] if first == "auth" else None
    for part in path:
        kind = attributes(kind).get(part) if kind is not None else None
    method = inspect.getattr_static(kind, name, None) if kind is not None else None
    return (method, kind) if inspect.isfunction(method) else None


def _type(node: ast.expr, function: Callable[..., Any], owner: type | None) -> type | None:
    """Return the class of an expression of a function, where annotations tell it."""
    if isinstance(node, ast.Name):
        return owner if node.id == "self" else _locals(function, owner).get(node.id)
    if isinstance(node, ast.Attribute):
        holder = _type(node.value, function, owner)
        return attributes(holder).get(node.attr) if holder is not None else None
    return _service(node)


def _service(node: ast.expr) -> type | None:
    """Return the class of `auth[Service]`, of `auth.get(Service)` and of `Class(…)`."""
    if isinstance(node, ast.Subscript):
        return _named(ast.unparse(node.slice))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        return _named(ast.unparse(node.args[0]))
    return classes().get(ast.unparse(node.func)) if isinstance(node, ast.Call) else None


def _locals(function: Callable[..., Any], owner: type | None) -> dict[str, type]:
    """Return the classes of annotated parameters, and of variables that are set once from a known expression."""
    tree, found = _tree(function), dict[str, type]()
    for argument in (*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs):
        if argument.annotation is not None and (known := _named(ast.unparse(argument.annotation))):
            found[argument.arg] = known
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            kind = _service(node.value) or _attribute(ast.unparse(node.value), owner)
            if kind is not None:
                found.setdefault(node.targets[0].id, kind)
    return found


def _attribute(text: str, owner: type | None) -> type | None:
    """Return the class of an expression such as `self.auth.factors`."""
    first, *path = text.split(".")
    kind = owner if first == "self" and path else None
    for name in path:
        kind = attributes(kind).get(name) if kind is not None else None
    return kind


@cache
def attributes(owner: type) -> dict[str, type]:
    """Return the classes of the attributes of a class, from annotations and from what its methods set."""
    found: dict[str, type] = {}
    for parent in reversed([cls for cls in owner.__mro__ if cls.__module__.startswith("asgi_auth")]):
        tree = ast.parse(textwrap.dedent(inspect.getsource(parent)))
        arguments = {
            item.arg: ast.unparse(item.annotation)
            for item in ast.walk(tree)
            if isinstance(item, ast.arg) and item.annotation is not None
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign):
                name, text = ast.unparse(node.target), ast.unparse(node.annotation)
            elif isinstance(node, ast.Assign):
                name, text = ast.unparse(node.targets[0]), ast.unparse(node.value)
                text = arguments.get(text, text.partition("(")[0])
            else:
                continue
            if known := _named(text):
                found[name.removeprefix("self.")] = known
    return found


def _named(text: str) -> type | None:
    """Return the first class of the library that an annotation names."""
    return next((classes()[word] for word in re.findall(r"\w+", text) if word in classes()), None)


@cache
def _tree(function: Callable[..., Any]) -> ast.FunctionDef | ast.AsyncFunctionDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body[0]
    assert isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef)
    return tree
