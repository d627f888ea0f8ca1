"""The shape of the package, read from its source: imports, the length of files and functions, and docstrings."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "asgi_auth"
FILES = sorted(ROOT.rglob("*.py"))
#: Who may know a package outside of the standard library.
OUTSIDE = {
    "starlette": {"app", "middleware", "web", "hosts", "pages", "testing", "verify"},
    "asyncpg": {
        "storage.postgres",
        "storage.postgres_connection",
        "storage.postgres_pool",
        "storage.postgres_abandoned",
        "storage.postgres_driver",
        "storage.postgres_host_pool",
        "storage.postgres_hosts",
        "storage.postgres_listener",
        "storage.postgres_refusals",
        "storage.databases",
        "storage.source_tables",
    },
    "databases": {"storage.databases"},
    "argon2": {"crypto.argon2", "crypto.equal_work", "crypto.foreign_hashes"},
    "bcrypt": {"crypto.foreign_hashes"},
    "jwt": {"sessions.tokens", "sessions.token_text", "crypto.keys", "crypto.jwk"},
    "idna": {"validation.origins"},
    "zxcvbn": {"validation.password_policy"},
    "email_validator": {"validation.email_address"},
    "publicsuffixlist": {"runtime.public_suffix"},
    "aiosmtplib": {"mail.smtp"},
    "opentelemetry": {"events.telemetry"},
    "redis": {"limits.redis", "limits.redis_clients"},
    "webauthn": {"features.passkeys.ceremonies"},
    "jinja2": {"mail.templates", "pages"},
}  # fmt: skip
#: A module imports from its own room, or from a lower floor.
FLOORS = [
    {"process"},
    {"model", "texts", "bounds.deadline", "sources", "_begun", "_lazy", "_per_loop", "_typed_text"},
    {"errors"},
    {"validation", "crypto", "bounds.breaker", "bounds"},
    {"settings"},
    {
        *("storage", "mail", "outgoing", "limits.counters", "limits.counter_keys"),
        *("limits.redis", "limits.redis_clients", "limits.redis_scripts"),
    },
    {"sessions"},
    {"feature.admission", "feature.endpoint", "feature.call", "feature.grant", "feature.page", "feature.pipeline",
     "feature.base",
     "feature.route", "feature.root_path", "feature.declare", "feature.lookup"},
    {"events", "limits.rules", "limits.factor_guesses", "accounts"},
    {"runtime"},
    {"auth"},
    {"feature.feature", "feature"},
    {"web", "features", "importing"},
    {"openapi", "pages"},
    {"features.browser_client"},
    {"app"},
    {"middleware"},
    {"hosts", "command", "verify", "__init__"},
    {"__main__", "testing"},
]  # fmt: skip
#: Loaded only where an `Auth` is made without a list of features.
LAZY = {("auth", "features.defaults")}


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {f"asgi_auth.{name_of(file)}" for file in FILES}


def imports_of(file: Path, *, lazy: bool = True) -> set[str]:
    """All modules that are imported, for types only as well; `lazy` takes those in functions, too."""
    tree = ast.parse(file.read_text())
    found: set[str] = set()
    for node in ast.walk(tree) if lazy else top_of(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            # `from package import module` needs the module alone.
            found |= inner if inner <= MODULES else {node.module or "", *inner}
    return found


def top_of(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements of a module that run with its import, and those below `if TYPE_CHECKING`."""
    for node in tree.body:
        yield node
        if isinstance(node, ast.If):
            yield from node.body


def below(names: set[str]) -> set[str]:
    """Those that are ours, without the package's name."""
    return {name.removeprefix("asgi_auth.") for name in names if name.startswith("asgi_auth.")}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_outside_packages_are_known_where_they_belong(file: Path) -> None:
    known = {name.partition(".")[0] for name in imports_of(file)}

    for package, allowed in OUTSIDE.items():
        if package in known:
            assert {name_of(file), name_of(file).partition(".")[0]} & allowed, f"{name_of(file)} imports {package}"


def floor_of(name: str) -> int:
    """The floor of a module: of its own name, else of the room around it."""
    levels = {entry: level for level, rooms in enumerate(FLOORS) for entry in rooms}
    return levels[name] if name in levels else floor_of(name.rpartition(".")[0])


def modules_of(file: Path) -> set[str]:
    """The modules of the package that a file imports, without the packages around them."""
    return below(imports_of(file)) & {name_of(other) for other in FILES}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_imports_go_down(file: Path) -> None:
    name = name_of(file)
    room = name.partition(".")[0]

    upward = {
        other
        for other in modules_of(file)
        if other.partition(".")[0] != room and floor_of(other) >= floor_of(name) and (name, other) not in LAZY
    }

    assert upward == set()


def test_the_root_has_at_most_twelve_files() -> None:
    assert len(list(ROOT.glob("*.py"))) <= 12


def test_features_never_import_each_other() -> None:
    for file in (ROOT / "features").rglob("*.py"):
        room = name_of(file).split(".")[1:2]
        known = {name.split(".")[1] for name in modules_of(file) if name.startswith("features.")}
        assert known <= {*room} or room == ["defaults"]


def test_no_module_imports_itself_in_a_circle_not_even_for_types() -> None:
    graph = {name_of(file): below(imports_of(file)) - {name_of(file)} for file in FILES}

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        for other in graph[name] & graph.keys():
            if other not in done and (name, other) not in LAZY:
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
    """Whether it is private, a test of the kit, or only tells a type of what is explained below it."""
    return node.name.startswith(("_", "test_")) or any(ast.unparse(each) == "overload" for each in node.decorator_list)


def test_an_error_says_itself_what_it_carries() -> None:
    """Neither responses nor the OpenAPI document know an error by its name."""
    files = [ROOT / "web" / "responses.py", *(ROOT / "openapi").glob("*.py")]

    named = {name for file in files for name in imports_of(file) if name.startswith("asgi_auth.errors.")}

    assert named == {"asgi_auth.errors.AuthError"}
