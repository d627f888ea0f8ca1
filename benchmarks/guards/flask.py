"""Flask behind a2wsgi, with a decorator."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from a2wsgi import WSGIMiddleware
from flask import Flask

from asgi_auth.hosts.flask import login_required
from benchmarks.guards import ROUTES


def _passed(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return called


def make() -> Any:
    """Make the app."""

    def home() -> str:
        return "ok"

    web = Flask(__name__)
    for path, view in zip(ROUTES, (home, _passed(home), login_required(home)), strict=True):
        web.add_url_rule(path, path, view)
    return WSGIMiddleware(web)  # type: ignore[arg-type]  # Flask and a2wsgi type WSGI differently
