"""nginx, Caddy and HAProxy with the files of the guide: TLS, a path of its own, websockets, and the right address."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster import free_port
from tests.deploy.programs import HOST, Certificate, adapted, app_under_gunicorn, certificate, program, running
from tests.deploy.visiting import FORM, Site, call, settings_of, visit
from tests.support import PASSWORD

#: What nginx sends to users who are logged in.
FILE = "/app/downloads/report.txt"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The app at the root of the host, under two workers of gunicorn."""
    with app_under_gunicorn(tmp_path_factory.mktemp("app"), f"https://{HOST}") as port:
        yield port


@contextmanager
def nginx(issued: Certificate, folder: Path) -> Iterator[Site]:
    """Run the app, and nginx before it, with a file for downloads."""
    downloads = folder / "downloads"
    downloads.mkdir()
    (downloads / "report.txt").write_text("for users", "utf-8")
    folder.chmod(0o755)
    port, plain = free_port(), free_port()
    with app_under_gunicorn(folder, f"https://{HOST}/app") as app:
        server = adapted(
            "nginx.conf",
            {
                "listen 80;": f"listen 127.0.0.1:{plain};",
                "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
                "server 127.0.0.1:8000;": f"server 127.0.0.1:{app};",
                "/etc/ssl/app/fullchain.pem": str(issued.chain),
                "/etc/ssl/app/privkey.pem": str(issued.key),
                "/srv/app/downloads/": f"{downloads}/",
            },
        )
        # As /etc/nginx/nginx.conf includes the files of conf.d; the paths are those of the test.
        paths = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in TEMPORARY)
        main = f"daemon off; pid {folder}/pid; user root; events {{}} http {{ access_log off; {paths}\n{server} }}"
        file = settings_of(folder, "main.conf", main)
        with running([program("nginx"), "-e", "stderr", "-c", str(file)], port, folder):
            yield Site(port, "/app", issued.trust)


async def test_nginx_serves_the_app_below_a_path_and_asks_it_for_downloads(issued: Certificate, tmp_path: Path) -> None:
    with nginx(issued, tmp_path) as site:
        await visit(site, "ada@example.com")
        await downloading(site)


async def downloading(site: Site) -> None:
    """A visitor is led to the login and then to the file; a renewed cookie reaches the browser."""
    async with site.client() as client:
        led = await call(client, "GET", "/downloads/report.txt")
        assert (led.status_code, led.headers["location"]) == (303, f"/app/auth/login?next={FILE}")
        account = {"email": "ada@example.com", "password": PASSWORD}
        sent = await call(client, "POST", f"/auth/login?next={FILE}", data=account, headers=FORM)
        assert sent.headers["location"].removeprefix(f"https://{HOST}") == FILE
        assert (await call(client, "GET", "/downloads/report.txt")).text == "for users"

        client.cookies.delete("__Host-auth")  # as if it had expired
        assert (await call(client, "GET", "/downloads/report.txt")).text == "for users"
        assert "__Host-auth" in {cookie.name for cookie in client.cookies.jar}


async def test_caddy_passes_on_what_the_app_needs(issued: Certificate, app: int, tmp_path: Path) -> None:
    port = free_port()
    text = adapted(
        "Caddyfile",
        {
            "app.example.com {": f"https://{HOST}:{port} {{\n\tbind 127.0.0.1\n\ttls {issued.chain} {issued.key}\n",
            "reverse_proxy 127.0.0.1:8000": f"reverse_proxy 127.0.0.1:{app}",
        },
    )
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    file = settings_of(tmp_path, "Caddyfile", options + text)
    command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]
    with running(command, port, tmp_path, {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}):
        await visit(Site(port, "", issued.trust), "bob@example.com")


async def test_haproxy_checks_health_and_passes_on_what_the_app_needs(
    issued: Certificate, app: int, tmp_path: Path
) -> None:
    port = free_port()
    changes = {
        "bind :443": f"bind 127.0.0.1:{port}",
        "/etc/ssl/app/both.pem": str(issued.both),
        "127.0.0.1:8000": f"127.0.0.1:{app}",
        "127.0.0.1:8001": f"127.0.0.1:{free_port()}",  # this one is down
    }
    file = settings_of(tmp_path, "haproxy.cfg", adapted("haproxy.cfg", changes))
    with running([program("haproxy"), "-db", "-f", str(file)], port, tmp_path):
        await visit(Site(port, "", issued.trust), "eve@example.com")
