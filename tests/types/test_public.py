"""The public types are complete, and the gate counts what it should."""

import re
from pathlib import Path
from typing import Any

from tests.types.checkers import ROOT
from tests.types.public import LEAST, PUBLIC, UNTYPED, completeness, faults_of, incomplete, public_symbols, report


def symbol(name: str, *others: str, known: bool = True, ambiguous: bool = False, exported: bool = True) -> Any:
    return {
        "name": name,
        "alternateNames": list(others),
        "isExported": exported,
        "isTypeKnown": known,
        "isTypeAmbiguous": ambiguous,
        "diagnostics": [] if known and not ambiguous else [{"message": "Type is\n  unknown"}],
    }


def test_the_public_types_are_complete(tmp_path: Path) -> None:
    share, faults = report(tmp_path)

    assert faults == [], "\n".join(faults)
    assert share >= LEAST


def test_names_of_public_modules_count_with_their_members_and_once() -> None:
    symbols = [
        symbol("asgi_auth.Auth"),
        symbol("asgi_auth.auth.Auth", "asgi_auth.Auth"),
        symbol("asgi_auth.auth.Auth.login"),
        symbol("asgi_auth.auth.helper"),
        symbol("asgi_auth.hosts.django.current_user"),
        symbol("asgi_auth.storage.sqlite.SQLite"),
        symbol("asgi_auth.storage.rows.user_of"),
        symbol("asgi_auth.errors.base.AuthError", "asgi_auth.errors.AuthError"),
        symbol("asgi_auth.features.defaults.defaults"),
        symbol("asgi_auth.features.audit.Audit"),
        symbol("asgi_auth._Private", exported=False),
    ]

    assert [item["name"] for item in public_symbols(symbols)] == [
        "asgi_auth.auth.Auth",
        "asgi_auth.auth.Auth.login",
        "asgi_auth.hosts.django.current_user",
        "asgi_auth.storage.sqlite.SQLite",
        "asgi_auth.errors.base.AuthError",
        "asgi_auth.features.defaults.defaults",
    ]


def test_unknown_and_ambiguous_types_are_incomplete() -> None:
    symbols = [symbol("a.b"), symbol("a.c", known=False), symbol("a.d", ambiguous=True), symbol("a.e")]

    assert completeness(symbols) == 0.5
    assert incomplete(symbols) == ["a.c: Type is unknown", "a.d: Type is unknown"]


def test_types_that_only_use_an_incomplete_one_are_no_faults() -> None:
    using = symbol("a.b", known=False) | {"diagnostics": [{"message": 'Return type is partially unknown\n  "C"'}]}

    assert completeness([using]) == 0
    assert incomplete([using]) == []


def test_one_incomplete_public_symbol_is_a_fault_and_its_cause_is_named() -> None:
    good = [symbol(f"asgi_auth.name{number}") for number in range(1000)]
    untyped = [symbol(name, known=False) for name in UNTYPED]
    cause = symbol("asgi_auth.limits.rules.Rule.key", ambiguous=True)
    using = symbol("asgi_auth.Auth", known=False) | {"diagnostics": []}

    assert faults_of([*good, *untyped, cause]) == []
    assert faults_of([*good, *untyped, cause, using]) == [
        "asgi_auth.Auth: incomplete public type",
        "asgi_auth.limits.rules.Rule.key: Type is unknown",
    ]


def test_the_versioning_policy_lists_the_public_modules() -> None:
    text = (ROOT / "docs" / "versioning.md").read_text("utf-8")
    rows = re.findall(r"^\| `(asgi_auth[\w.*]*)` \|", text, re.MULTILINE)

    assert rows == list(PUBLIC)


def test_the_package_ships_its_types() -> None:
    assert (ROOT / "asgi_auth" / "py.typed").is_file()
