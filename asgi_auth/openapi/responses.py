"""All responses of an endpoint: its answer, and each error status with the possible codes."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from inspect import getdoc
from types import NoneType
from typing import Any

from asgi_auth.auth import Auth
from asgi_auth.errors import AuthError
from asgi_auth.events.hooks import REFUSALS
from asgi_auth.feature.base import REFUSED_TOKENS
from asgi_auth.feature.endpoint import PATH_ERRORS, Endpoint
from asgi_auth.feature.route import Route
from asgi_auth.openapi.schemas import OAuth2Error, Problem, Schemas, answers_of
from asgi_auth.sessions.service import LOGIN_ERRORS
from asgi_auth.web.request_pipeline import BODY_ERRORS, QUERY_ERRORS, REQUEST_ERRORS
from asgi_auth.web.responses import oauth2_content, oauth2_status, problem_content
from asgi_auth.web.routes import METHOD_ERRORS

Kinds = Sequence[type[AuthError]]
COOKIES: dict[str, Any] = {"description": "In cookie mode, the session's cookies.", "schema": {"type": "string"}}
CLEARED: dict[str, Any] = {
    "description": "In cookie mode, the data of this origin that the browser clears.",
    "schema": {"type": "string"},
}
ETAG: dict[str, Any] = {"description": "The version of the document.", "required": True, "schema": {"type": "string"}}


def responses_of(auth: Auth, path: str, route: Route, schemas: Schemas) -> dict[str, Any]:
    """Return all responses of an endpoint, by status."""
    endpoint, found = route.endpoint, {}
    for kind in answers_of(route):
        found[str(getattr(kind, "http_status", None) or endpoint.status)] = _success(endpoint, kind, schemas)
    if endpoint.cacheable:
        found["304"] = {"description": "The version is still that of If-None-Match.", "headers": _caching(endpoint)}
    by_status: dict[int, list[type[AuthError]]] = {}
    for error in errors_of(auth, path, endpoint):
        # No endpoint answers a wrong method, so that this is a problem document everywhere.
        oauth2 = endpoint.oauth2 and error not in METHOD_ERRORS
        by_status.setdefault(oauth2_status(error) if oauth2 else error.status, []).append(error)
    for status, kinds in sorted(by_status.items()):
        oauth2 = endpoint.oauth2 and not set(METHOD_ERRORS) & set(kinds)
        found[str(status)] = (
            oauth2_response(status, kinds, schemas) if oauth2 else problem_response(status, kinds, schemas)
        )
    return found


def errors_of(auth: Auth, path: str, endpoint: Endpoint) -> Kinds:
    """Return every error of an endpoint, each once."""
    kinds: list[type[AuthError]] = [*REQUEST_ERRORS, *METHOD_ERRORS, *endpoint.errors]
    if endpoint.needs_login or endpoint.fresh or endpoint.second_factor or endpoint.permission:
        kinds += REFUSED_TOKENS
    kinds += auth.pipeline.admission.errors_at(endpoint)
    if endpoint.method != "GET":
        kinds += BODY_ERRORS
    elif endpoint.all_fields(auth.settings.fields) or auth.pipeline.added(endpoint):
        kinds += QUERY_ERRORS
    if "{" in path:
        kinds += PATH_ERRORS
    if endpoint.logs_in:
        kinds += LOGIN_ERRORS
        kinds += auth.second_factors.login_errors
    if endpoint.name in auth.stream.hooks.before:
        kinds += REFUSALS
    for feature in auth.features:
        kinds += feature.errors_at(endpoint)
    return sorted(dict.fromkeys(kinds), key=lambda kind: (kind.status, kind.code))


def problem_response(status: int, kinds: Kinds, schemas: Schemas) -> dict[str, Any]:
    """Return the response of one status: a problem (RFC 9457) with the codes of these errors."""
    properties = {"status": {"const": status}, "code": {"enum": list(dict.fromkeys(kind.code for kind in kinds))}}
    schema: dict[str, Any] = {"allOf": [schemas.of(Problem)], "properties": properties}
    members = [kind.example().members().keys() for kind in kinds]
    if always := sorted(set(members[0]).intersection(*members).difference(*(kind.sometimes for kind in kinds))):
        schema["required"] = always
    examples = {kind.code: {"summary": _first_line(kind), "value": problem_content(kind.example())} for kind in kinds}
    response = _error(status, kinds, {"application/problem+json": {"schema": schema, "examples": examples}})
    return schemas.shared(kinds[0].__name__.removesuffix("Error"), response) if len(kinds) == 1 else response


def oauth2_response(status: int, kinds: Kinds, schemas: Schemas) -> dict[str, Any]:
    """Return the response of one status in the form of RFC 6749, section 5.2."""
    names = list(dict.fromkeys(kind.oauth2 for kind in kinds))
    schema = {"allOf": [schemas.of(OAuth2Error)], "properties": {"error": {"enum": names}}}
    examples = {kind.code: {"summary": _first_line(kind), "value": oauth2_content(kind.example())} for kind in kinds}
    content = {"application/json": {"schema": schema, "examples": examples}}
    return _error(status, kinds, content, oauth2=True)


def _error(status: int, kinds: Kinds, content: Mapping[str, Any], *, oauth2: bool = False) -> dict[str, Any]:
    response = {"description": f"{HTTPStatus(status).phrase}: {', '.join(kind.code for kind in kinds)}."}
    headers = _headers(kinds)
    if oauth2 and not any(kind.of_program for kind in kinds):
        headers.pop("WWW-Authenticate", None)
    return response | ({"headers": headers} if headers else {}) | {"content": content}


def _headers(kinds: Kinds) -> dict[str, Any]:
    """Return the headers of errors; a header that all of them have is required."""
    meanings: Iterable[tuple[str, str]] = (pair for kind in kinds for pair in kind.header_meanings.items())
    return {
        name: {
            "description": meaning,
            "required": all(name in kind.header_meanings for kind in kinds),
            "schema": {"type": "string"},
        }
        for name, meaning in meanings
    }


def _success(endpoint: Endpoint, kind: Any, schemas: Schemas) -> dict[str, Any]:
    headers: dict[str, Any] = _caching(endpoint) if endpoint.cacheable else {}
    if (endpoint.gives_tokens and not endpoint.oauth2) or endpoint.ends_session:
        headers = {**headers, "Set-Cookie": COOKIES}
    if endpoint.ends_session:
        headers = {**headers, "Clear-Site-Data": CLEARED}
    meanings = getattr(kind, "header_meanings", {})
    headers = headers | {name: {"description": text, "schema": {"type": "string"}} for name, text in meanings.items()}
    response: dict[str, Any] = {"headers": headers} if headers else {}
    if not getattr(kind, "has_body", True):
        return {"description": _first_line(kind)} | response
    if kind is NoneType:
        return {"description": "Done; there is no body."} | response
    if media_types := getattr(kind, "media_types", ()):
        response["content"] = {each: {"schema": {"type": "string"}} for each in media_types}
        return {"description": _first_line(kind)} | response
    response["content"] = {"application/json": {"schema": schemas.of(kind)}}
    return {"description": _first_line(kind)} | response


def _caching(endpoint: Endpoint) -> dict[str, Any]:
    """Return the headers of an answer that caches may keep."""
    rule = f"May be kept for {endpoint.max_age} seconds." if endpoint.max_age else "Revalidate each time."
    return {"ETag": ETAG, "Cache-Control": {"description": rule, "required": True, "schema": {"type": "string"}}}


def _first_line(kind: type[Any]) -> str:
    return (getdoc(kind) or "").partition("\n")[0]
