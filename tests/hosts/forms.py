"""Each example in each supported form: unchanged, or with the same handlers and another way to add the auth routes."""

import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from asgi_auth import AuthApp, AuthError, AuthMiddleware

EXAMPLES = Path(__file__).parents[2] / "examples"
#: The forms of each host. The first is that of the example file.
FORMS = {
    "bare": ["wrapped"],
    "starlette": ["mounted", "wrapped", "added"],
    "fastapi": ["wrapped", "mounted", "added"],
    "quart": ["wrapped", "inside"],
    "litestar": ["plugin", "wrapped", "mounted"],
    "django": ["wrapped"],
    "flask": ["wrapped"],
    "falcon": ["wrapped"],
    "blacksheep": ["wrapped", "mounted"],
    "sanic": ["wrapped"],
}
PAIRS = [(host, form) for host, forms in FORMS.items() for form in forms]
#: Further hosts, which have one form.
MORE = ["mcp", "fastmcp", "fasthtml"]
#: Hosts whose packages are too large for every run: `make hosts` tries them.
LARGE = ["gradio", "nicegui", "reflex"]
WITHOUT_WEBSOCKETS = {"django", "flask", "mcp", "fastmcp"}


def load(host: str, form: str) -> Any:
    """Import an example once per form; BlackSheep's only once, because BlackSheep has one router per process."""
    return _module(host, "blacksheep_app" if host == "blacksheep" else f"{host}_{form}")


@cache
def _module(host: str, name: str) -> Any:
    """Import a file once: some hosts can be configured only once."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{host}_app.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def build(host: str, form: str) -> Any:
    """The app of an example in the given form."""
    module = load(host, form)
    return module.app if form == FORMS[host][0] else OTHERS[host, form](module)


def wrapped_starlette(module: Any) -> Any:
    web = module.Starlette(routes=module.routes[:-1])
    module.install(web)
    return AuthMiddleware(web, module.auth, mount="/auth")


def added_starlette(module: Any) -> Any:
    web = module.Starlette(routes=module.routes[:-1])
    module.install(web)
    web.add_middleware(AuthMiddleware, auth=module.auth, mount="/auth")
    return web


def added_fastapi(module: Any) -> Any:
    module.api.add_middleware(AuthMiddleware, auth=module.auth, mount="/auth")
    return module.api


def mounted_fastapi(module: Any) -> Any:
    module.api.mount("/auth", AuthApp(module.auth))
    module.api.add_middleware(AuthMiddleware, module.auth)
    return module.api


def inside_quart(module: Any) -> Any:
    module.host.asgi_app = AuthMiddleware(module.host.asgi_app, module.auth, mount="/auth")
    return module.host


def wrapped_litestar(module: Any) -> Any:
    from litestar import Litestar

    from asgi_auth.hosts.litestar import answer

    handlers = [module.who, module.admin, module.note, module.live]
    return AuthMiddleware(Litestar(handlers, exception_handlers={AuthError: answer}), module.auth, mount="/auth")


def mounted_litestar(module: Any) -> Any:
    from litestar import Litestar, asgi
    from litestar.types import Receive, Scope, Send

    from asgi_auth.hosts.litestar import answer

    served = AuthApp(module.auth)

    @asgi("/auth", is_mount=True, copy_scope=True)
    async def routes(scope: Scope, receive: Receive, send: Send) -> None:
        await served(scope, receive, send)  # type: ignore[arg-type]  # Litestar has narrower types for scopes

    handlers = [routes, module.who, module.admin, module.note, module.live]
    return AuthMiddleware(Litestar(handlers, exception_handlers={AuthError: answer}), module.auth)


def mounted_blacksheep(module: Any) -> Any:
    from blacksheep import Application, Router

    host = Application(router=Router())
    host.exceptions_handlers[AuthError] = module.refused
    host.router.add_get("/who", module.who)
    host.router.add_get("/admin", module.admin)
    host.router.add_post("/note", lambda: {"noted": True})
    host.router.add_ws("/socket", module.socket)
    host.mount("/auth", AuthApp(module.auth))
    return AuthMiddleware(host, module.auth)


OTHERS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("starlette", "wrapped"): wrapped_starlette,
    ("starlette", "added"): added_starlette,
    ("fastapi", "mounted"): mounted_fastapi,
    ("fastapi", "added"): added_fastapi,
    ("quart", "inside"): inside_quart,
    ("litestar", "wrapped"): wrapped_litestar,
    ("litestar", "mounted"): mounted_litestar,
    ("blacksheep", "mounted"): mounted_blacksheep,
}
