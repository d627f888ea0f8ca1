"""The public names: sorted, complete, importable, and cheap to import."""

import ast
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

import asgi_auth
from asgi_auth import errors, feature, fields, records

FOR_FEATURE_AUTHORS = {
    feature: ("Call", "Endpoint", "Feature", "Login", "delete", "get", "post"),
    fields: ("Email", "Field", "Line", "Secret", "Token"),
    records: ("Client", "Credential", "Event", "Record", "Session", "TokenPair", "User", "UserInfo", "new_id"),
    errors: ("AuthError", "BadRequestError", "ForbiddenError", "NotFoundError", "UnauthorizedError", "ValidationError"),
}


def test_all_is_sorted_and_every_name_is_there() -> None:
    names = asgi_auth.__all__

    assert names == sorted(set(names))
    assert all(hasattr(asgi_auth, name) for name in names)


def test_all_names_that_the_package_imports_are_public() -> None:
    tree = ast.parse(Path(asgi_auth.__file__).read_text())
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }

    assert imported == set(asgi_auth.__all__)


def test_every_public_name_is_explained() -> None:
    for name in asgi_auth.__all__:
        assert (getattr(asgi_auth, name).__doc__ or "").strip(), name


@pytest.mark.parametrize(
    ("module", "names"), FOR_FEATURE_AUTHORS.items(), ids=lambda item: getattr(item, "__name__", "")
)
def test_authors_of_features_find_what_they_need(module: object, names: tuple[str, ...]) -> None:
    assert [name for name in names if not hasattr(module, name)] == []


def test_the_version_is_the_one_that_is_installed() -> None:
    assert asgi_auth.__version__ == importlib.metadata.version("asgi-auth")


def test_importing_loads_no_driver_and_no_word_list() -> None:
    script = "import asgi_auth, json, sys; print(json.dumps(sorted(sys.modules)))"

    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout

    loaded = set(json.loads(output))
    assert "asgi_auth.middleware" in loaded
    assert not loaded & {"asyncpg", "aiosqlite", "databases", "zxcvbn", "email_validator", "fastapi", "django"}
    assert not loaded & {"aiosmtplib", "jinja2", "publicsuffixlist", "redis"}


def test_the_package_is_marked_as_typed() -> None:
    assert (Path(asgi_auth.__file__).parent / "py.typed").is_file()
