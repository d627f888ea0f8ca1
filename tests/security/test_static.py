"""What stands nowhere in the source: shells, deserialisers, weak hashes, SQL made of values, secrets compared by ==."""

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import asgi_auth
from asgi_auth.validation.email_address import canonical_or_none
from tests.test_architecture import FILES, imports_of, name_of

FORBIDDEN_IMPORTS = {
    "subprocess", "pickle", "marshal", "shelve", "dill", "yaml", "ctypes", "pty", "commands", "xml", "md5", "code",
    "telnetlib", "ftplib", "http.client", "urllib.request", "requests", "httpx",
}  # fmt: skip
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "md5", "sha1", "uuid1", "uuid4", "fork"}
#: What makes secrets, signatures and digests: nothing home-made.
CRYPTO = {"hashlib", "hmac", "secrets", "argon2", "bcrypt", "jwt", "itsdangerous", "cryptography", "random", "ssl"}
WHO_KNOWS_CRYPTO = {
    "crypto.argon2": {"secrets", "argon2"},
    "crypto.equal_work": {"secrets", "argon2"},
    "crypto.foreign_hashes": {"argon2", "bcrypt", "cryptography", "hashlib", "hmac"},
    "crypto.keys": {"cryptography", "hashlib", "hmac", "jwt"}, "crypto.jwk": {"jwt"},
    "crypto.key_rotation": {"cryptography", "secrets"}, "crypto.shared_secrets": {"hashlib", "hmac"},
    "sessions.token_text": {"jwt"}, "verify.verifier": {"ssl"},
    "model.records": {"secrets"},
    "limits.counter_keys": {"hmac"}, "runtime.purge": {"random"},
    "features.new_device.feature": {"hashlib"},
    "web.client": {"secrets"},
    "web.responses": {"hashlib"},
    "events.stream": {"hmac"},
    "sessions.tokens": {"hmac", "secrets", "jwt"},
    "accounts.known_clients": {"hmac", "secrets"}, "accounts.asked_mail": {"hmac"}, "pages.page_visit": {"hashlib"},
    "accounts.one_time_tokens": {"secrets"},
    "accounts.token_secrets": {"hashlib", "hmac", "secrets", "itsdangerous"},
    "accounts.mail_requests": {"hmac", "secrets"}, "storage.sql_tokens": {"hmac", "secrets"},
    "storage.migrate": {"secrets"}, "crypto.vault": {"cryptography", "hashlib", "secrets"},
    "command.secret": {"secrets"},
    "accounts.unique_values": {"hashlib"}, "outgoing": {"ssl"},
    "accounts.secret_tokens": {"hashlib", "secrets"}, "features.recovery_codes.feature": {"hashlib", "secrets"},
    "features.totp.codes": {"hmac"}, "features.totp.feature": {"secrets"}, "accounts.factors": {"hashlib"},
    "features.passkeys.challenges": {"hashlib", "hmac", "secrets"}, "features.passkeys.relying_party": {"hashlib"},
    "features.passkeys.ceremonies": {"cryptography", "hmac"},
    "features.trusted_devices.feature": {"hashlib"}, "features.usernames.feature": {"hmac"},
    "sessions.revocation": {"random"}, "sessions.heartbeat": {"random"},
    "sessions.relay.client": {"random"}, "sessions.relay.relay": {"random"},
    "storage.runner": {"random"}, "mail.smtp": {"ssl"}, "pages.render": {"hashlib"},
    "storage.postgres_refusals": {"ssl"}, "storage.postgres_url": {"ssl"},
    "mail.delivery": {"random"}, "mail.message": {"secrets"},
    "features.oidc.flows": {"hashlib", "hmac", "secrets"},
    "features.oidc.keeping": {"hashlib"},
    "features.authorization_server.clients": {"hashlib", "hmac"},
    "features.authorization_server.codes": {"hashlib", "hmac", "secrets"},
    "features.authorization_server.consent": {"hashlib", "hmac", "secrets"},
    "features.authorization_server.grants": {"hashlib"},
    "features.oidc.id_token": {"hashlib", "hmac"},
    # The testing kit: a device in software, and a provider that signs what no library would sign.
    "testing.passkey": {"cryptography", "hashlib", "secrets"}, "testing.provider.clients": {"hmac"},
    "testing.provider.grants": {"hashlib", "hmac", "secrets"}, "testing.provider.lies": {"secrets"},
    "testing.provider.jose": {"cryptography", "hashlib", "hmac"},
    "testing.cheap": {"secrets"}, "testing.users": {"secrets"},
}  # fmt: skip
#: Numbers of ours: a pragma takes no value, and the rows of several counters are numbered.
PLAIN_PARTS = {"pragma", "i", "keys", "' UNION ALL '.join(rows)", "' OR '.join(full)"}
#: The one pattern that is made of settings: the names of the cookies, escaped.
OF_COOKIE_NAMES = r"b'(?:^|;)[ \\t]*(%s)=([^;]*)' % names"
#: The patterns that hosts declare for their fields.
OF_FIELDS = ("user_field.py", "re.compile(pattern)")
SECRET_NAMES = {"token", "mac", "signature", "code", "digest", "secret", "hashed", "refresh_token"}


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            yield file, node


def called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_shell_and_no_deserialiser_is_imported(file: Path) -> None:
    found = {part for name in imports_of(file) for part in (name, name.partition(".")[0])}

    assert found & FORBIDDEN_IMPORTS == set()


def test_nothing_is_evaluated_and_no_weak_hash_is_made() -> None:
    calls = [(file.name, called(node)) for file, node in nodes() if isinstance(node, ast.Call)]
    bare = [item for item in calls if item[1] in FORBIDDEN_CALLS - {"compile"}]

    assert len(calls) > 500
    assert bare == []


def test_cryptography_is_used_where_it_belongs_and_none_is_home_made() -> None:
    found = {name_of(file): {name.partition(".")[0] for name in imports_of(file)} & CRYPTO for file in FILES}

    assert {name: used for name, used in found.items() if used} == WHO_KNOWS_CRYPTO


def test_chance_without_secrets_decides_about_waiting_only() -> None:
    uses = [(file, node) for file, node in nodes() if isinstance(node, ast.Attribute) and is_chance(node)]
    lines = [file.read_text("utf-8").splitlines()[node.lineno - 1] for file, node in uses]

    assert {name_of(file) for file, _ in uses} == {
        "storage.runner",
        "mail.delivery",
        "runtime.purge",
        "sessions.revocation",
        "sessions.heartbeat",
        "sessions.relay.client",
        "sessions.relay.relay",
    }
    waits = [r"asyncio\.sleep\(random\.", r"asyncio\.sleep\(min\(seconds, random\.", r"pause = random\."]
    waits.append(r"wait_for_change\(self\._lag \* random\.")
    waits.append(r"self\._due = now \+ interval \* random\.")
    waits.append(r"asyncio\.sleep\(self\._every \* random\.")
    assert all(re.search("|".join(waits), line) for line in lines)


def is_chance(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "random"


def test_patterns_are_constants() -> None:
    for file, node in nodes():
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.escape":
            continue
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args:
            if (file.name, ast.unparse(node)) == OF_FIELDS:
                continue
            if ast.unparse(node.args[0]) == OF_COOKIE_NAMES:
                assert "re.escape(name.encode()) for name in" in file.read_text("utf-8")
                continue
            assert isinstance(node.args[0], ast.Constant | ast.JoinedStr), f"{file.name}: {ast.unparse(node)}"
            parts = node.args[0].values if isinstance(node.args[0], ast.JoinedStr) else [node.args[0]]
            assert all(isinstance(part, ast.Constant) for part in parts), f"{file.name}: {ast.unparse(node)}"


def test_messages_of_the_log_are_constants() -> None:
    levels = {"debug", "info", "warning", "error", "exception", "critical", "log"}
    messages = [
        node.args[called(node) == "log"]
        for _, node in nodes()
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger.") and called(node) in levels
    ]

    messages += [
        node.args[0] for _, node in nodes() if isinstance(node, ast.Call) and ast.unparse(node.func) == "logged"
    ]

    assert len(messages) > 10
    # `events.hooks.logged` and `RareLog` pass their message on: those of their callers are constants.
    variable = [ast.unparse(item) for item in messages if not isinstance(item, ast.Constant)]
    assert variable == ["message", "self._message"]


def test_statements_are_constants_filled_in_by_checked_names_only() -> None:
    words = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|DROP|PRAGMA)\b")
    for file, node in nodes():
        if file.parent.name != "storage" or not isinstance(node, ast.JoinedStr):
            continue
        text = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        filled = [ast.unparse(part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
        assert not words.search(text) or set(filled) <= PLAIN_PARTS, f"{file.name}: {ast.unparse(node)}"


def test_secrets_are_compared_in_constant_time() -> None:
    modules = {"sessions.tokens", "accounts.one_time_tokens", "accounts.known_clients", "crypto.keys", "crypto.argon2"}
    modules |= {"storage.sql_tokens", "accounts.token_secrets"}
    compared = [
        f"{name_of(file)}: {ast.unparse(node)}"
        for file, node in nodes()
        if name_of(file) in modules and isinstance(node, ast.Compare) and is_about_secrets(node)
    ]

    assert compared == []
    for name, times in (("sessions.tokens", 1), ("storage.sql_tokens", 1), ("accounts.known_clients", 1)):
        (source,) = [file.read_text() for file in FILES if name_of(file) == name]
        assert source.count("hmac.compare_digest(") == times


def is_about_secrets(node: ast.Compare) -> bool:
    """Whether a comparison by == or != has a secret on a side."""
    sides = {ast.unparse(side).rpartition(".")[2] for side in (node.left, *node.comparators)}
    return any(isinstance(kind, ast.Eq | ast.NotEq) for kind in node.ops) and bool(sides & SECRET_NAMES)


def patterns() -> dict[str, re.Pattern[Any]]:
    """Every compiled pattern of the package."""
    found = {}
    for module in pkgutil.walk_packages(asgi_auth.__path__, "asgi_auth."):
        if module.name.startswith("asgi_auth.hosts."):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern):
                found[f"{module.name}.{name}"] = value
    return found


def is_searched(name: str) -> bool:
    """Whether the code looks for this pattern inside of texts, and not for whole texts alone."""
    module, _, constant = name.removeprefix("asgi_auth.").rpartition(".")
    (source,) = [file.read_text("utf-8") for file in FILES if name_of(file) == module]
    return re.search(rf"\b{constant}\.(search|sub|match|finditer|findall|split)\(", source) is not None


@pytest.mark.parametrize("piece", ["a", "a.", "-", " ", "%", "0", "\t", "=", ",;", "%2", "aA-", ". . "])
def test_no_pattern_takes_long_for_any_text(piece: str) -> None:
    found = patterns()
    assert len(found) >= 8

    for name, pattern in found.items():
        text: Any = piece * (100_000 // len(piece)) + "@!"
        text = text.encode() if isinstance(pattern.pattern, bytes) else text
        started = time.process_time()
        pattern.fullmatch(text)
        if is_searched(name):
            pattern.sub("" if isinstance(text, str) else b"", text)
        assert time.process_time() - started < 0.2, name


@pytest.mark.parametrize("piece", ["a", "a.", "-", "\u0301", "xn--", "\uff20", "@"])
def test_no_address_takes_long(piece: str) -> None:
    canonical_or_none("warm@example.com")
    started = time.process_time()

    canonical_or_none((piece * 254)[:254])
    canonical_or_none("a@" + (piece * 254)[:250] + ".de")

    assert time.process_time() - started < 0.2
