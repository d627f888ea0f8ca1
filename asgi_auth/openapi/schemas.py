"""JSON Schema of bodies and answers: the checks of msgspec, and the further checks of the library."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from asgi_auth.feature.route import Route
from asgi_auth.model.answers import Answer
from asgi_auth.model.records import Record
from asgi_auth.openapi.alternatives import example_of, written_out
from asgi_auth.validation.fields import BodyField
from asgi_auth.validation.user_field import Field

REF = "#/components/schemas/{name}"
#: PostgreSQL stores no NUL characters, so no field accepts them.
NO_NUL = r"^[^\u0000]*$"
#: The end of the names of bodies.
SUFFIX = "Request"
SEGMENT = r"^[^/\u0000]+$"


class Problem(Record, frozen=True, kw_only=True):
    """An error (RFC 9457). `code` is stable, `detail` is for people; `errors` has the reasons for each field.

    `reason` and `until` (seconds since 1970) are those of a ban. `ways` names what a user can prove again. `factors`
    finish the login `pending` within `expires_in` seconds. `missing` names what an account lacks, and `sign_up` goes on
    with it within `expires_in` seconds. `scopes` are those that a client needs.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: dict[str, list[str]] | msgspec.UnsetType = msgspec.UNSET
    ways: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    factors: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    pending: str | msgspec.UnsetType = msgspec.UNSET
    expires_in: int | msgspec.UnsetType = msgspec.UNSET
    reason: str | msgspec.UnsetType = msgspec.UNSET
    until: int | msgspec.UnsetType = msgspec.UNSET
    missing: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    sign_up: str | msgspec.UnsetType = msgspec.UNSET
    scopes: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class OAuth2Error(Record, frozen=True, kw_only=True):
    """An error of the OAuth 2 token endpoint (RFC 6749, section 5.2).

    `factors` are those that finish the login `pending` within `expires_in` seconds.
    """

    error: str
    error_description: str
    factors: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    pending: str | msgspec.UnsetType = msgspec.UNSET
    expires_in: int | msgspec.UnsetType = msgspec.UNSET


class Schemas:
    """The schemas of the bodies and answers of routes; `components` and `responses` are the named ones."""

    def __init__(self, routes: Iterable[tuple[str, Route]], extra: Sequence[Field]) -> None:
        """Read the declarations; `extra` are the host's fields."""
        self.responses: dict[str, dict[str, Any]] = {}
        self._bodies = {
            route.endpoint.name: _body(path, route, extra) for path, route in routes if body_fields(path, route, extra)
        }
        answers = [kind for _, route in routes for kind in answers_of(route) if _has_schema(kind)]
        kinds = [*self._bodies.values(), *answers, Problem, OAuth2Error]
        found, components = msgspec.json.schema_components(kinds, ref_template=REF)
        self._schemas: dict[Any, dict[str, Any]] = dict(zip(kinds, found, strict=True))
        always = {
            kind.__name__: kind.always_sent for kind in answers if isinstance(kind, type) and issubclass(kind, Answer)
        }
        self.components: dict[str, dict[str, Any]] = {
            name: _plain(schema, always.get(name, ())) for name, schema in components.items()
        }
        for _, route in routes:
            if route.endpoint.name in self._bodies:
                self._narrow(route)

    def of(self, kind: Any) -> dict[str, Any]:
        """Return the schema of an answer."""
        return self._schemas[kind]

    def body(self, route: Route) -> dict[str, Any]:
        """Return the schema of an endpoint's body."""
        return self._schemas[self._bodies[route.endpoint.name]]

    def examples(self, route: Route) -> dict[str, dict[str, Any]]:
        """Return a body with the required fields for each alternative, by the name of its schema."""
        body = self.body(route)
        references = self._component(body).get("oneOf", [body])
        return {_name(item): example_of(self._component(item)) for item in references}

    def shared(self, name: str, response: dict[str, Any]) -> dict[str, Any]:
        """Store a response under a name, and return a reference to it."""
        if self.responses.setdefault(name, response) != response:
            return response
        return {"$ref": f"#/components/responses/{name}"}

    def _narrow(self, route: Route) -> None:
        """Add the checks that msgspec doesn't know to the schema of a body."""
        schema = self._component(self.body(route))
        further = dict(route.endpoint.schema)
        parts = further.pop("oneOf", None) or route.feature.pipeline.names.alternatives_at(route.endpoint)
        schema |= further
        for name, item in schema["properties"].items():
            found = _with_null(item)
            schema["properties"][name] = found | limits(found)
        if parts:
            self._write_out(_name(self.body(route)), parts)

    def _write_out(self, name: str, parts: Sequence[Mapping[str, Any]]) -> None:
        """Replace a body by the choice of its alternatives: each is a schema with a name of its own."""
        named = {
            f"{name.removesuffix(SUFFIX)}{title}{SUFFIX}": schema
            for title, schema in written_out(self.components[name], parts).items()
        }
        self.components |= named
        self.components[name] = {"oneOf": [{"$ref": REF.format(name=item)} for item in named]}

    def _component(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        return self.components[_name(schema)]


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def limits(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constraints that all fields of this type share."""
    is_text = "string" in (schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")])
    says_form = {"pattern", "enum"} & schema.keys() or schema.get("format") in {"date", "date-time"}
    return {"pattern": NO_NUL} if is_text and not says_form else {}


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a field that may be null in one piece, as far as that is possible."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1 or not isinstance(kinds[0].get("type"), str):
        return schema
    choices = {"enum": [*kinds[0]["enum"], None]} if "enum" in kinds[0] else {}
    return {
        **{name: value for name, value in schema.items() if name != "anyOf"},
        **kinds[0],
        **choices,
        "type": [kinds[0]["type"], "null"],
    }


def body_fields(path: str, route: Route, extra: Sequence[Field]) -> dict[str, BodyField]:
    """Return the fields in the body of an endpoint; GET has none."""
    return {} if route.endpoint.method == "GET" else _sent_fields(path, route, extra)


def query_fields(path: str, route: Route, extra: Sequence[Field]) -> dict[str, BodyField]:
    """Return the fields in the query of an endpoint; only GET has some."""
    return _sent_fields(path, route, extra) if route.endpoint.method == "GET" else {}


def query_schema(field: BodyField) -> dict[str, Any]:
    """Return the schema of a field in a query, which is never null."""
    schema = msgspec.json.schema(field.type)
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    found = {"anyOf": kinds} if len(kinds) > 1 else kinds[0] if kinds else schema
    return found | limits(found)


def _sent_fields(path: str, route: Route, extra: Sequence[Field]) -> dict[str, BodyField]:
    """Return the fields of an endpoint that are not in its path."""
    fields = route.endpoint.all_fields(extra) | route.feature.pipeline.added(route.endpoint)
    return {name: field for name, field in fields.items() if f"{{{name}}}" not in path}


def _has_schema(kind: Any) -> bool:
    """Tell whether an answer is JSON: not one without a body, nor a file."""
    return getattr(kind, "has_body", True) and not getattr(kind, "media_types", ())


def answers_of(route: Route) -> list[Any]:
    """Return the types of an endpoint's successful answers; NoneType for an empty one."""
    kind = route.endpoint.hints["return"]
    kinds = (*(get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)), *route.endpoint.also)
    return [NoneType if item is None else item for item in kinds]


def _body(path: str, route: Route, extra: Sequence[Field]) -> type[msgspec.Struct]:
    """Return the type of an endpoint's body."""
    endpoint = route.endpoint
    # A form has no null.
    absent = msgspec.UnsetType if endpoint.oauth2 else msgspec.UnsetType | None
    fields = [
        (name, field.type) if field.required else (name, field.type | absent, msgspec.UNSET)
        for name, field in body_fields(path, route, extra).items()
    ]
    name = f"{endpoint.name.title().replace('_', '')}{SUFFIX}"
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=not endpoint.oauth2)


def _plain(schema: dict[str, Any], always_sent: Collection[str]) -> dict[str, Any]:
    """Return a schema in plain JSON types, without defaults, and without null where answers omit None."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    found.pop("title", None)
    for name, item in found.get("properties", {}).items():
        null_is_sent = item.pop("x-null-is-sent", False)
        if item.pop("default", msgspec.UNSET) is None and "anyOf" in item and not null_is_sent:
            kinds = [kind for kind in item["anyOf"] if kind != {"type": "null"}]
            found["properties"][name] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if always_sent:
        found["required"] = sorted({*found.get("required", ()), *always_sent})
    return found
