"""PostgreSQL URLs as libpq, poolers and other drivers write them, in the form that asyncpg understands."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import msgspec

from asgi_auth.storage.names import Names
from asgi_auth.storage.postgres_options import CHOICES, IGNORED, KNOWN, MODES, SESSION
from asgi_auth.storage.urls import boolean, check_text, decoded, log_ignored, options_of, whole

ENCODE = "percent-encode the characters :/?#[]@% in user and password"


@dataclass
class PostgresURL:
    """The URL for asyncpg, further arguments of `asyncpg.connect`, and what belongs to the storage."""

    dsn: str = field(default="", repr=False)
    connect: dict[str, Any] = field(default_factory=dict, repr=False)
    max_size: int | None = None
    schema: str | None = None

    def names(self, given: Names | None) -> Names | None:
        """Return the names with the schema of the URL. Raises ValueError if they have another one."""
        if self.schema is None:
            return given
        if given is not None and given.schema not in {None, self.schema}:
            raise ValueError("the database URL and the names have different schemas")
        return msgspec.structs.replace(given or Names(), schema=self.schema)


def parse(url: str) -> PostgresURL:
    """Check a URL and translate its options. Raises ValueError."""
    check_text(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"the database URL cannot be parsed: {ENCODE}") from None
    is_cut = "@" in parts.path + parts.query and "@" not in parts.netloc
    if parts.fragment or parts.netloc.count("@") > 1 or is_cut:
        raise ValueError(f"the database URL has a character that does not belong there: {ENCODE}")
    _check_address(parts)
    found = PostgresURL()
    kept = _translate(options_of(parts.query), found)
    _check_hosts(parts, kept)
    query = "?" + urlencode(kept, quote_via=quote) if kept else ""
    found.dsn = f"{parts.scheme}://{parts.netloc}{parts.path}{query}"
    return found


def _check_address(parts: SplitResult) -> None:
    login, _, hosts = parts.netloc.rpartition("@")
    for name, text in {"user or password": login, "host": hosts, "name of the database": parts.path}.items():
        decoded(text, name)
    if "/" in parts.path[1:]:
        raise ValueError(f"the database URL has a second / after the host: {ENCODE}")


def _check_hosts(parts: SplitResult, options: dict[str, str]) -> None:
    hosts = (decoded(parts.netloc.rpartition("@")[2], "host") or options.get("host", "")).split(",")
    ports = [host.rpartition(":")[2] for host in hosts if _has_port(host)]
    given = [port for port in options.get("port", "").split(",") if port]
    for port in (*ports, *given):
        if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f"a port in the database URL is not a number from 1 to 65535: {ENCODE}")
    if len(given) > 1 and len(given) != len(hosts):
        raise ValueError("the database URL must have one port, or as many as it has hosts")


def _has_port(host: str) -> bool:
    """Tell whether a host ends with a port; a path of a socket and an IPv6 address in brackets may have colons."""
    return not host.startswith("/") and ":" in host.rpartition("]")[2]


def _translate(options: dict[str, str], found: PostgresURL) -> dict[str, str]:
    """Return the options that asyncpg gets in its URL, and put all others into `found`."""
    kept: dict[str, str] = {}
    for name, value in options.items():
        if name in KNOWN or name.lower() in SESSION or "." in name:
            kept[name] = value
        elif name in TRANSLATED:
            TRANSLATED[name](value, kept, found)
        elif name not in IGNORED:
            raise ValueError(f"{name!r} is no option of a database URL; settings of the server go into options=-c …")
        elif not _asks_for_nothing(name, value, options):
            raise ValueError(f"the option {name} of the database URL cannot be {value!r}: {IGNORED[name][0]}")
        else:
            log_ignored(name, IGNORED[name][0])
    for name, allowed in CHOICES.items():
        if kept.get(name, allowed[0]) not in allowed:
            raise ValueError(f"the option {name} of the database URL must be one of {', '.join(allowed)}")
    _check_files(kept, found)
    return kept


def _asks_for_nothing(name: str, value: str, options: dict[str, str]) -> bool:
    """Tell whether an ignored option weakens nothing. A verified certificate is as good as channel binding."""
    allowed = IGNORED[name][1]
    if name == "channel_binding" and value == "require":
        return options.get("sslmode") == "verify-full" or options.get("sslrootcert") == "system"
    return allowed is None or value.lower() in allowed


def _check_files(kept: dict[str, str], found: PostgresURL) -> None:
    """Check the files of certificates, and load the authorities of the system for `sslrootcert=system`."""
    for name in ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile"):
        if name in kept and (name, kept[name]) != ("sslrootcert", "system") and not Path(kept[name]).is_file():
            raise ValueError(f"the file of the option {name} of the database URL does not exist: {kept[name]}")
    try:
        if kept.get("sslrootcert") == "system":
            if kept.pop("sslmode", "verify-full") != "verify-full":
                raise ValueError("sslrootcert=system needs sslmode=verify-full")
            del kept["sslrootcert"]
            found.connect["ssl"] = _context(kept, None)
        elif "sslrootcert" in kept or "sslcert" in kept:
            _context(kept, kept.get("sslrootcert"))
    except ssl.SSLError:
        raise ValueError("a certificate or key of the database URL cannot be read; it must be in PEM format") from None


def _context(kept: dict[str, str], authorities: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authorities)
    if "sslcert" in kept:
        context.load_cert_chain(kept["sslcert"], kept.get("sslkey"), kept.get("sslpassword", ""))
    return context


def _ssl(value: str, kept: dict[str, str], _: PostgresURL) -> None:
    if value not in MODES:
        value = "require" if boolean("ssl", value) else "disable"
    kept.setdefault("sslmode", value)


def _pgbouncer(value: str, _: dict[str, str], found: PostgresURL) -> None:
    if boolean("pgbouncer", value):
        found.connect["statement_cache_size"] = 0


def _cache(value: str, _: dict[str, str], found: PostgresURL) -> None:
    found.connect["statement_cache_size"] = whole("statement_cache_size", value, 0)


def _size(value: str, _: dict[str, str], found: PostgresURL) -> None:
    found.max_size = whole("connection_limit", value, 1)


def _schema(value: str, _: dict[str, str], found: PostgresURL) -> None:
    found.schema = value


def _name(value: str, kept: dict[str, str], _: PostgresURL) -> None:
    kept.setdefault("application_name", value)


def _service(value: str, _: dict[str, str], found: PostgresURL) -> None:
    found.connect["servicefile"] = value


TRANSLATED: dict[str, Callable[[str, dict[str, str], PostgresURL], None]] = {
    "ssl": _ssl,
    "pgbouncer": _pgbouncer,
    "statement_cache_size": _cache,
    "prepared_statement_cache_size": _cache,
    "connection_limit": _size,
    "max_size": _size,
    "schema": _schema,
    "currentSchema": _schema,
    "fallback_application_name": _name,
    "servicefile": _service,
}
