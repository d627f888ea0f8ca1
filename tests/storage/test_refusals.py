"""A database that refuses the server: one error that says what to do, 503 for requests, and no restart afterwards."""

import asyncio
import datetime as dt
import logging
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from asgi_auth import AuthApp
from asgi_auth.errors import StorageSetupError, StorageUnavailableError
from asgi_auth.storage import Storage, from_url
from asgi_auth.storage.postgres import Postgres
from asgi_auth.testing.records import NOW
from tests.postgres import Server
from tests.storage.conftest import SERVERS, Servers
from tests.support import EMAIL, PASSWORD, Client, make_auth

Fresh = Callable[[str], str]
ACCOUNT = {"email": EMAIL, "password": PASSWORD}


async def reason(storage: Storage) -> str:
    """Migrate, and return the reason of the refusal."""
    with pytest.raises(StorageSetupError) as caught:
        await storage.migrate(NOW)
    await storage.close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, servers: Servers) -> Server:
    return servers.get(request.param)


@pytest.fixture
def role(server: Server) -> Iterator[str]:
    """A role that may connect, and nothing else."""
    server.sql("CREATE ROLE newcomer LOGIN PASSWORD 'x'")
    yield "//newcomer:x@"
    server.sql("DROP ROLE newcomer")


def as_role(url: str, role: str) -> str:
    return url.replace("//postgres:secret@", role)


async def test_a_wrong_password_and_unknown_names_are_refused(server: Server) -> None:
    wrong = {
        "//postgres:wrong@": "correct the user or the password",
        "//nobody:secret@": "correct the user or the password",
    }
    for user, told in wrong.items():
        assert told in await reason(from_url(as_role(server.dsn(), user)))
    assert "create the database" in await reason(from_url(server.dsn("nowhere")))


async def test_missing_grants_are_named_one_by_one(server: Server, role: str) -> None:
    url = server.database()
    name = url.rpartition("/")[2]
    server.sql(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC", url)
    assert f"GRANT CONNECT ON DATABASE {name}" in await reason(from_url(as_role(url, role)))

    server.sql(f"GRANT CONNECT ON DATABASE {name} TO newcomer; REVOKE CREATE ON SCHEMA public FROM PUBLIC", url)
    assert "GRANT USAGE, CREATE ON SCHEMA public" in await reason(from_url(as_role(url, role)))

    await migrated(url)
    server.sql("GRANT SELECT ON auth_migrations TO newcomer", url)
    storage = from_url(as_role(url, role))
    assert await storage.migrate(NOW) == []
    with pytest.raises(StorageSetupError, match="GRANT SELECT, INSERT, UPDATE, DELETE ON auth_users"):
        await storage.user("x")
    await storage.close()
    server.sql(f"REVOKE ALL ON DATABASE {name} FROM newcomer; DROP OWNED BY newcomer", url)


async def migrated(url: str) -> None:
    storage = from_url(url)
    await storage.migrate(NOW)
    await storage.close()


async def test_requests_are_503_until_the_grant_and_need_no_restart(
    server: Server, role: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = server.database()
    server.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC", url)
    auth = make_auth(as_role(url, role))
    client = Client(AuthApp(auth))

    refused = await asyncio.gather(*(client.post("/register", ACCOUNT) for _ in range(8)))
    messages = [record for record in caplog.records if "asgi_auth cannot start" in record.message]
    server.sql("GRANT CREATE ON SCHEMA public TO newcomer", url)
    accepted = await client.post("/register", ACCOUNT)
    await auth.close()
    server.sql("DROP OWNED BY newcomer", url)

    assert {(answer.status, answer.json["code"]) for answer in refused} == {(503, "storage_unavailable")}
    assert all(b"GRANT" not in answer.body for answer in refused)
    assert [(record.levelno, "GRANT USAGE" in record.message) for record in messages] == [(logging.ERROR, True)]
    assert accepted.status == 201


async def test_tables_that_no_migration_made_are_named_when_it_may_make_none(server: Server) -> None:
    auth = make_auth(server.database(), auto_migrate=False)

    with pytest.raises(StorageSetupError, match="have not run: set auto_migrate=True"):
        await auth.start()
    answer = await Client(AuthApp(auth)).post("/register", ACCOUNT)
    await auth.close()

    assert answer.status == 503


async def test_calls_that_wait_for_a_failed_start_share_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    auth, attempts = make_auth("postgresql://nobody@127.0.0.1:1/nowhere"), []

    async def away(*_: object) -> None:
        attempts.append(1)
        await asyncio.sleep(0.01)
        raise StorageUnavailableError

    monkeypatch.setattr(auth.storage, "migrate", away)
    for _ in range(2):
        failed = await asyncio.gather(*(auth.start() for _ in range(20)), return_exceptions=True)
        assert {type(error) for error in failed} == {StorageUnavailableError}

    assert len(attempts) == 2


def certificate(name: str, folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{name}.key").write_bytes(key.private_bytes(*private))
    return folder / f"{name}.crt"


@pytest.fixture(scope="module")
def with_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path, Path]]:
    """A server with TLS, its certificate, and that of another authority."""
    server, folder = Server(15), tmp_path_factory.mktemp("tls")
    own, other = certificate("server", folder), certificate("other", folder)
    for file in (own, own.with_suffix(".key")):
        target = server.base / "data" / file.name
        target.write_bytes(file.read_bytes())
        target.chmod(0o600)
        if server.user is not None:
            os.chown(target, server.user, -1)
    server.sql("ALTER SYSTEM SET ssl = on")
    server.sql("SELECT pg_reload_conf()")
    yield server, own, other
    server.close()


async def test_a_wrong_certificate_authority_is_refused(with_tls: tuple[Server, Path, Path]) -> None:
    server, own, other = with_tls
    url = server.dsn().replace("127.0.0.1", "localhost")

    assert "sslrootcert" in await reason(from_url(f"{url}?sslmode=verify-full&sslrootcert={other}"))
    assert "sslrootcert" in await reason(Postgres(url, ssl=ssl.create_default_context(cafile=str(other))))
    storage = from_url(f"{url}?sslmode=verify-full&sslrootcert={own}")
    assert await storage.migrate(NOW)
    await storage.close()


async def test_a_server_without_tls_is_refused_where_tls_is_required(server: Server) -> None:
    assert "enable TLS in the server" in await reason(from_url(f"{server.dsn()}?sslmode=require"))


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "auth.db"
    await asyncio.to_thread(file.write_bytes, b"this is a text, and no database" * 100)
    auth = make_auth(f"sqlite:///{file}")

    with pytest.raises(StorageSetupError, match="SQLite database"):
        await auth.start()
    answer = await Client(AuthApp(auth)).post("/register", ACCOUNT)
    await auth.close()

    assert answer.status == 503
