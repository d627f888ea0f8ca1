"""One operation of the document: an endpoint at its path and method."""

from collections.abc import Iterable
from inspect import getdoc
from typing import Any

from asgi_auth.auth import Auth
from asgi_auth.feature.route import Route
from asgi_auth.openapi.responses import responses_of
from asgi_auth.openapi.schemas import SEGMENT, Schemas, body_fields, query_fields, query_schema
from asgi_auth.web.body import JSON_TYPE
from asgi_auth.web.headers import FORM_TYPE

#: The security scheme of programs with a name and a secret.
PROGRAM = "program"
KNOWN: dict[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of the version that the client has.",
    "schema": {"type": "string"},
    "example": '"5d41402abc4b2a76b9719d911017c592"',
}


def operation(auth: Auth, path: str, route: Route, schemas: Schemas, schemes: Iterable[str]) -> dict[str, Any]:
    """Describe an endpoint; `schemes` are the names of the security schemes."""
    endpoint = route.endpoint
    found: dict[str, Any] = {"operationId": endpoint.name, "summary": endpoint.summary, "tags": [tag_of(route)]}
    if notes := _notes(auth, route):
        found["description"] = notes
    if parameters := _parameters(auth, path, route):
        found["parameters"] = parameters
    if body_fields(path, route, auth.settings.fields):
        found["requestBody"] = _body(route, schemas)
    found["responses"] = responses_of(auth, path, route, schemas)
    found["security"] = _security(auth, route, schemes)
    return found


def _notes(auth: Auth, route: Route) -> str:
    """Return what the endpoint demands of its caller, and the notes of the features."""
    endpoint = route.endpoint
    demands = {
        f"Needs a login within the last {auth.settings.fresh} seconds.": endpoint.fresh,
        f"Needs the permission `{endpoint.permission}`.": endpoint.permission,
        "Needs a login with a second factor if the user has one.": endpoint.second_factor,
    }
    notes = [text for text, demanded in demands.items() if demanded]
    return " ".join(filter(None, [*notes, *(feature.note_at(endpoint) for feature in auth.features)]))


def tag_of(route: Route) -> str:
    """Return the name of an endpoint's feature."""
    return type(route.feature).__name__


def tags_of(routes: list[tuple[str, Route]]) -> list[dict[str, str]]:
    """Return the features of routes, each with the first line of its docstring."""
    meanings = {tag_of(route): (getdoc(route.feature) or "").partition("\n")[0] for _, route in routes}
    return [{"name": name, "description": meaning} for name, meaning in meanings.items()]


def _parameters(auth: Auth, path: str, route: Route) -> list[dict[str, Any]]:
    endpoint = route.endpoint
    names = [name for name in endpoint.all_fields(auth.settings.fields) if f"{{{name}}}" in path]
    schema = {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": SEGMENT}
    found: list[dict[str, Any]] = [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]
    found += [
        {"name": name, "in": "query", "required": field.required, "schema": query_schema(field)}
        for name, field in query_fields(path, route, auth.settings.fields).items()
    ]
    if endpoint.gives_tokens and not endpoint.oauth2:
        found.append(_transport(auth))
    if endpoint.cacheable:
        found.append(KNOWN)
    return found


def _transport(auth: Auth) -> dict[str, Any]:
    """Return the header that chooses the transport of tokens; the default is that of the settings."""
    default = auth.settings.transport
    return {
        "name": "Auth-Transport",
        "in": "header",
        "description": "Where the tokens go: into the body, or into cookies.",
        "schema": {"type": "string", "enum": ["bearer", "cookie"], "default": default},
        "example": default,
    }


def _body(route: Route, schemas: Schemas) -> dict[str, Any]:
    endpoint, schema = route.endpoint, schemas.body(route)
    content: dict[str, Any] = {"schema": schema}
    examples = schemas.examples(route)
    if len(examples) > 1:
        content["examples"] = {name: {"value": example} for name, example in examples.items()}
    elif example := next(iter(examples.values())):
        content["example"] = example
    required = any(field.required for field in endpoint.fields.values()) or bool(endpoint.schema)
    body = {
        "required": required,
        "content": {FORM_TYPE if endpoint.oauth2 and not endpoint.reads_json else JSON_TYPE: content},
    }
    if "refresh_token" in endpoint.fields and not endpoint.oauth2:
        body["description"] = "In cookie mode the refresh token is in its cookie, and may be left out here."
    return body


def _security(auth: Auth, route: Route, schemes: Iterable[str]) -> list[dict[str, list[str]]]:
    """Return the accepted security schemes; an empty one where a login is optional."""
    if "basic" in route.endpoint.injected:
        return [{PROGRAM: []}] if route.endpoint.needs_program else [{}, {PROGRAM: []}]
    if "identity" not in route.endpoint.hints:
        return []
    keys = [name for feature in auth.features for name in feature.schemes] if route.endpoint.keys else []
    logins: list[dict[str, list[str]]] = [{name: []} for name in (*schemes, *keys)]
    return logins if route.endpoint.needs_login else [{}, *logins]
