"""The shape of the package, read from its source: who imports whom, how long things are, that they are explained."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "asgi_auth"
FILES = sorted(ROOT.rglob("*.py"))
#: Who may know a package outside of the standard library.
OUTSIDE = {
    "starlette": {"app", "middleware", "web", "hosts", "pages"},
    "asyncpg": {"storage.postgres", "storage.postgres_connection", "storage.postgres_pool", "storage.databases"},
    "aiosqlite": {"storage.sqlite", "storage.sqlite_writer", "storage.databases"},
    "databases": {"storage.databases"},
    "argon2": {"crypto.argon2"},
    "jwt": {"sessions.tokens", "crypto.keys"},
    "zxcvbn": {"validation.password_policy"},
    "email_validator": {"validation.email_address"},
    "publicsuffixlist": {"runtime.public_suffix"},
    "aiosmtplib": {"mail.smtp"},
    "opentelemetry": {"events.telemetry"},
    "redis": {"limits.redis"},
    "jinja2": {"mail.templates", "pages"},
}  # fmt: skip
#: A module imports from its own room, or from a lower floor.
FLOORS = [
    {"model", "texts", "_lazy", "_per_loop", "_refusal"},
    {"errors"},
    {"validation", "crypto"},
    {"settings"},
    {"storage", "mail", "limits.counters", "limits.redis"},
    {"sessions"},
    {"feature"},
    {"events", "limits.rules", "accounts"},
    {"runtime"},
    {"auth"},
    {"web", "features"},
    {"openapi", "pages"},
    {"app"},
    {"middleware"},
    {"hosts", "__init__", "__main__"},
]
#: Loaded only where an `Auth` is made without a list of features.
LAZY = {("auth", "features.defaults")}
#: Sideways, for now.
ALLOWED = {"accounts.one_time_tokens": {"limits.rules"}}


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(file: Path, *, lazy: bool = True) -> set[str]:
    """All modules that are imported at run time, `if TYPE_CHECKING` left out; `lazy` takes those in functions, too."""
    tree = ast.parse(file.read_text())
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree) if lazy else tree.body:
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def below(names: set[str]) -> set[str]:
    """Those that are ours, without the package's name."""
    return {name.removeprefix("asgi_auth.") for name in names if name.startswith("asgi_auth.")}


def ours(file: Path) -> set[str]:
    """The modules of ours that a file imports, by their first name: `storage` for all below it."""
    return {name.partition(".")[0] for name in below(imports_of(file))}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_outside_packages_are_known_where_they_belong(file: Path) -> None:
    known = {name.partition(".")[0] for name in imports_of(file)}

    for package, allowed in OUTSIDE.items():
        if package in known:
            assert {name_of(file), name_of(file).partition(".")[0]} & allowed, f"{name_of(file)} imports {package}"


def floor_of(name: str) -> int:
    """The floor of a module, by its own name or its room's."""
    (found,) = [level for level, rooms in enumerate(FLOORS) if {name, name.partition(".")[0]} & rooms]
    return found


def modules_of(file: Path) -> set[str]:
    """The modules of the package that a file imports."""
    known = {name_of(other) for other in FILES}
    return below(imports_of(file)) & known


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_imports_go_down(file: Path) -> None:
    name = name_of(file)
    room = name.partition(".")[0]

    upward = {
        other
        for other in modules_of(file)
        if other.partition(".")[0] != room and floor_of(other) >= floor_of(name) and (name, other) not in LAZY
    }

    assert upward == ALLOWED.get(name, set())


def test_features_never_import_each_other() -> None:
    for file in (ROOT / "features").glob("*.py"):
        if file.stem != "defaults":
            assert not [name for name in imports_of(file) if name.startswith("asgi_auth.features")]


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name_of(file): below(imports_of(file, lazy=False)) for file in FILES}

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        for other in graph[name] & graph.keys():
            if other not in done:
                visit(other, (*path, name))
        done.add(name)

    done = {""}
    for start in sorted(graph.keys() - {"__init__"}):
        visit(start, ())


@pytest.mark.parametrize("file", [*FILES, *Path(__file__).parent.rglob("*.py")], ids=lambda file: file.name)
def test_no_file_is_longer_than_300_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 300


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_function_is_longer_than_40_lines_and_every_public_name_is_explained(file: Path) -> None:
    tree = ast.parse(file.read_text())

    assert ast.get_docstring(tree), "the module has no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, f"{node.name} is too long"
    for name, node in public_of(tree):
        assert ast.get_docstring(node), f"{name} has no docstring"


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public_of(tree: ast.Module | ast.ClassDef) -> list[tuple[str, Definition]]:
    """Public functions, classes and methods, without what stands inside functions."""
    found: list[tuple[str, Definition]] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not is_left_out(node):
            found.append((node.name, node))
            if isinstance(node, ast.ClassDef):
                found += public_of(node)
    return found


def is_left_out(node: Definition) -> bool:
    """Whether it is private, or only tells a type of what is explained below it."""
    return node.name.startswith("_") or any(ast.unparse(each) == "overload" for each in node.decorator_list)
