"""The whole document (OpenAPI 3.1.1), from the routes of an app."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from asgi_auth.auth import Auth
from asgi_auth.feature.route import Route, Served
from asgi_auth.openapi.operations import PROGRAM, operation, tags_of
from asgi_auth.openapi.responses import problem_response
from asgi_auth.openapi.schemas import Schemas
from asgi_auth.web.cookies import Cookies
from asgi_auth.web.routes import METHOD_ERRORS, NOT_FOUND_ERRORS, Routes

VERSION = "3.1.1"


@dataclass(frozen=True)
class Info:
    """The head of the document; the version is that of your API."""

    title: str | None = None
    version: str = "1"
    description: str = ""


def all_served(auth: Auth) -> Served:
    """Return all endpoints of an `Auth`, for a call in process, which knows no app."""
    settings = auth.settings
    return Served(Routes(auth.features, None, (), {}), (settings.base_url or "").rstrip("/") + settings.mount)


def document(auth: Auth, served: Served, info: Info) -> dict[str, Any]:
    """Describe the endpoints of an app, from their declarations, the names in the settings and the limits."""
    routes = list(served.routes)
    schemas = Schemas(routes, auth.settings.fields)
    for kind in (*NOT_FOUND_ERRORS, *METHOD_ERRORS):
        problem_response(kind.status, [kind], schemas)
    schemes = _schemes(auth, served)
    paths: dict[str, dict[str, Any]] = {}
    for path, route in routes:
        paths.setdefault(path, {})[route.endpoint.method.lower()] = operation(auth, path, route, schemas, schemes)
    return {
        "openapi": VERSION,
        "info": {
            "title": info.title or f"{auth.settings.name}: authentication",
            "version": info.version,
            **({"description": info.description} if info.description else {}),
        },
        "servers": [{"url": served.url}],
        "tags": tags_of(routes),
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": schemas.responses,
            "securitySchemes": {**schemes, **_schemes_of_programs(routes), **_schemes_of_features(auth)},
        },
    }


def _schemes_of_programs(routes: Iterable[tuple[str, Route]]) -> Mapping[str, Any]:
    """Return the scheme of programs with a name and a secret, if an endpoint takes them."""
    if not any("basic" in route.endpoint.injected for _, route in routes):
        return {}
    return {
        PROGRAM: {"type": "http", "scheme": "basic", "description": "Name and secret of a program (RFC 6749, 2.3.1)."}
    }


def _schemes_of_features(auth: Auth) -> Mapping[str, Any]:
    return {name: scheme for feature in auth.features for name, scheme in feature.schemes.items()}


def _schemes(auth: Auth, served: Served) -> Mapping[str, Any]:
    """Return the security schemes; OAuth 2 only with a token endpoint."""
    schemes: dict[str, Any] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token (RFC 6750).",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": Cookies(auth.settings).access,
            "description": "Set by a login in cookie mode; unsafe requests must come from a page of the same origin.",
        },
    }
    for path, route in served.routes:
        if route.endpoint.is_token_endpoint:
            flow = {
                "tokenUrl": served.url.rstrip("/") + path,
                "refreshUrl": served.url.rstrip("/") + path,
                "scopes": {},
            }
            schemes["oauth2"] = {"type": "oauth2", "flows": {"password": flow}}
    return schemes
