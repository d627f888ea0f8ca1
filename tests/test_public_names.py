"""The public names: sorted, complete, importable, and cheap to import: what is loaded when."""

import ast
import importlib
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

import asgi_auth
from asgi_auth import errors, feature
from tests.support import SECRET

ROOT = Path(__file__).parent.parent
FOR_FEATURE_AUTHORS = {
    feature: (
        "Action", "Call", "Client", "Credential", "Email", "Endpoint", "Event", "Feature", "Form", "Identity", "Letter",
        "Line", "LoginAttempt", "ONWARD", "Page", "Purpose", "Record", "Requested", "Secret", "Section", "Session",
        "Time", "TokenPair", "TokenText", "User", "UserInfo", "delete", "get", "new_id", "patch", "post",
    ),
    errors: ("AuthError", "BadRequestError", "ForbiddenError", "NotFoundError", "UnauthorizedError", "ValidationError"),
}  # fmt: skip


def test_all_is_sorted_and_every_name_is_there() -> None:
    names = asgi_auth.__all__

    # As ruff sorts them: constants first.
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), name))
    assert all(hasattr(asgi_auth, name) for name in names)


def test_what_is_loaded_later_is_what_type_checkers_see() -> None:
    typed = imports_of(types_only(ast.parse(Path(asgi_auth.__file__).read_text())))

    assert typed.keys() == set(asgi_auth.__all__)
    assert {name: f"asgi_auth.{module}" for name, module in asgi_auth.LATER.items()} == typed
    for name, module in typed.items():
        assert getattr(asgi_auth, name) is getattr(importlib.import_module(module), name)


def imports_of(nodes: list[ast.stmt]) -> dict[str, str]:
    """The names that statements import from the package, and the modules that they are in."""
    found = [node for node in nodes if isinstance(node, ast.ImportFrom) and str(node.module).startswith("asgi_auth.")]
    return {item.name: str(node.module) for node in found for item in node.names}


def types_only(tree: ast.Module) -> list[ast.stmt]:
    """The statements below `if TYPE_CHECKING`."""
    tests = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return [inner for node in tests for inner in node.body]


def test_a_star_brings_all_names_and_dir_shows_them() -> None:
    script = "import asgi_auth; before = dir(asgi_auth)\nfrom asgi_auth import *\n"
    script += "print(*sorted(set(asgi_auth.__all__) - set(before) | set(asgi_auth.__all__) - set(globals())))"

    assert output_of("-c", script).split() == []


@pytest.mark.parametrize("module", ["asgi_auth", "asgi_auth.mail"])
def test_an_unknown_name_is_an_error_as_usual(module: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'Nothing'"):
        _ = importlib.import_module(module).Nothing
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        exec(f"from {module} import Nothing")


def test_modules_can_be_imported_where_no_name_has_loaded_them() -> None:
    script = "from asgi_auth import features, openapi; import asgi_auth.pages.server; print(features.__name__)"

    assert output_of("-c", script) == "asgi_auth.features\n"


def output_of(*arguments: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return done.stdout


def test_every_public_name_is_explained() -> None:
    for name in asgi_auth.__all__:
        assert (getattr(asgi_auth, name).__doc__ or "").strip(), name


@pytest.mark.parametrize(
    ("module", "names"), FOR_FEATURE_AUTHORS.items(), ids=lambda item: getattr(item, "__name__", "")
)
def test_authors_of_features_find_what_they_need(module: object, names: tuple[str, ...]) -> None:
    assert [name for name in names if not hasattr(module, name)] == []


def test_the_kit_of_feature_authors_is_what_type_checkers_see() -> None:
    typed = imports_of(types_only(ast.parse(Path(feature.__file__ or "").read_text())))

    assert sorted(typed) == sorted(feature.__all__)
    for name, module in typed.items():
        assert getattr(feature, name) is getattr(importlib.import_module(module), name)


def test_the_version_is_the_one_that_is_installed() -> None:
    assert asgi_auth.__version__ == importlib.metadata.version("asgi-auth")


UNNEEDED = {
    "aiosmtplib", "aiosqlite", "asyncpg", "databases", "django", "email.headerregistry", "email.mime",
    "email_validator", "fastapi", "itsdangerous", "jinja2", "opentelemetry", "publicsuffixlist", "redis", "tomllib",
    "zxcvbn",
    "asgi_auth.features.defaults", "asgi_auth.hosts", "asgi_auth.mail.smtp", "asgi_auth.openapi", "asgi_auth.pages",
    "asgi_auth.limits.redis", "asgi_auth.storage.sqlite", "asgi_auth.storage.postgres",
}  # fmt: skip


@pytest.mark.parametrize("names", ["Auth, AuthMiddleware", "Auth, AuthMiddleware, Passwords, Sessions"])
def test_importing_loads_nothing_that_only_some_need(names: str) -> None:
    # What measures the coverage of a new process has loaded before us is not ours.
    script = f"import json, sys; before = set(sys.modules); from asgi_auth import {names}; "
    script += "print(json.dumps(sorted(set(sys.modules) - before)))"

    loaded = set(json.loads(output_of("-c", script)))

    assert "asgi_auth.middleware" in loaded
    assert not loaded & UNNEEDED


def test_the_package_alone_loads_nothing_and_a_view_only_who_is_asking() -> None:
    script = "import sys, asgi_auth; print(*(name for name in sys.modules if 'asgi_auth' in name))"
    view = "import sys; from asgi_auth import current_user, require; print('asgi_auth.auth' in sys.modules)"

    assert sorted(output_of("-c", script).split()) == ["asgi_auth", "asgi_auth._lazy"]
    assert output_of("-c", view) == "False\n"


def test_an_auth_loads_the_features_that_it_has_and_no_others() -> None:
    script = "import json, sys; from asgi_auth import Auth, AuthApp, Passwords, Sessions\n"
    script += f"AuthApp(Auth('sqlite://', secret='{SECRET}', features=[Passwords(), Sessions()]))\n"
    script += "print(json.dumps(sorted(name for name in sys.modules if name.startswith('asgi_auth.features.'))))"

    loaded = json.loads(output_of("-c", script))

    assert [name for name in loaded if name.count(".") == 2] == [
        "asgi_auth.features.passwords", "asgi_auth.features.sessions",
    ]  # fmt: skip


@pytest.mark.parametrize(("features", "wanted"), [("Sessions()", False), ("Sessions(), MagicLink()", True)])
def test_addresses_are_read_by_what_the_start_has_loaded(features: str, wanted: bool) -> None:  # noqa: FBT001 (a case)
    script = "import asyncio, sys; from asgi_auth import Auth, MagicLink, Sessions\n"
    script += f"auth = Auth('sqlite://', secret='{SECRET}', features=[{features}])\n"
    script += "asyncio.run(auth.start()); print('email_validator' in sys.modules)"

    assert output_of("-c", script) == f"{wanted}\n"


def test_the_first_requests_import_nothing_on_the_loop() -> None:
    """An import takes up to 0.1 s, in which no other request is served."""
    told = json.loads(output_of("-m", "tests.first_requests"))

    assert {status // 100 for status in told["answers"].values()} <= {2, 4}, told["answers"]
    assert told["answers"]["POST /auth/login"] == 200
    # What Python itself decodes by is small, and is loaded in any case.
    assert [name for name in told["imported"] if not name.startswith("encodings.")] == []


def test_the_package_is_marked_as_typed() -> None:
    assert (Path(asgi_auth.__file__).parent / "py.typed").is_file()
