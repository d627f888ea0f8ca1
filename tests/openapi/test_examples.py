"""Every example and default of the documents fits its schema, and each body is written out in full."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI

from asgi_auth import Field, OpenAPI
from asgi_auth.hosts import fastapi
from asgi_auth.openapi.alternatives import example_of, written_out
from tests.openapi.everything import everything
from tests.openapi.support import resolve

BY_TOKEN_OR_CODE = ["ResetPassword", "VerifyEmail", "ConfirmEmailChange", "Unlock", "MagicLinkLogin"]
Pair = tuple[str, Any, Any]


async def own(auth: Any) -> Any:
    async with auth:
        return await auth[OpenAPI].openapi()


async def merged(auth: Any) -> Any:
    app = FastAPI()
    fastapi.merge_openapi(app, auth)
    return app.openapi()


def examples(value: Any, where: str = "") -> Iterator[Pair]:
    """Yield each example and default below a value, with its place and its schema."""
    if isinstance(value, dict):
        schema = value.get("schema", value)
        if "example" in value:
            yield where, schema, value["example"]
        if "default" in value:
            yield where, schema, value["default"]
        if isinstance(value.get("examples"), list):
            yield from ((where, schema, item) for item in value["examples"])
        if isinstance(value.get("examples"), dict) and "schema" in value:
            yield from ((f"{where}/{name}", schema, item["value"]) for name, item in value["examples"].items())
        for name, item in value.items():
            if name not in {"example", "examples", "default"}:
                yield from examples(item, f"{where}/{name}")
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from examples(item, f"{where}/{number}")


def complaints(document: Any) -> list[str]:
    """Return what is wrong with the examples of a document."""
    found = []
    for where, schema, example in examples(document):
        whole = {**schema, "components": document["components"]}
        errors = jsonschema_rs.Draft202012Validator(whole, validate_formats=True).iter_errors(example)
        found += [f"{where}: {error.message}" for error in errors]
    return found


@pytest.mark.parametrize("made", [own, merged])
@pytest.mark.parametrize("transport", ["bearer", "cookie"])
async def test_every_example_fits_its_schema(made: Any, transport: str) -> None:
    document = await made(everything(transport=transport))

    assert len(list(examples(document))) > 200
    assert complaints(document) == []


@pytest.mark.parametrize(
    "example", [{}, {"token": "a", "code": "1"}, {"new_password": "a"}, {"token": None, "new_password": "a"}]
)
async def test_an_example_that_does_not_fit_is_seen(example: Any) -> None:
    document = await own(everything())
    body = document["paths"]["/reset-password"]["post"]["requestBody"]["content"]["application/json"]
    body["examples"]["ResetPasswordByTokenRequest"]["value"] = example

    assert complaints(document) != []


async def test_every_body_with_fields_has_an_example_with_the_required_ones() -> None:
    document = await own(everything())
    bodies = [
        item["requestBody"] for path in document["paths"].values() for item in path.values() if "requestBody" in item
    ]

    for body in bodies:
        content = next(iter(body["content"].values()))
        required = resolve(document, content["schema"]).get("required", ())
        assert {*required} <= content.get("example", {}).keys()
    register = document["paths"]["/register"]["post"]["requestBody"]["content"]["application/json"]
    assert register["example"].keys() == {"email", "password", "company"}


@pytest.mark.parametrize(
    "field",
    [Field("badge", int, required=True), Field("size", float, required=True), Field("news", bool, required=True),
     Field("nick", max_length=2, required=True)],
)  # fmt: skip
async def test_a_required_field_of_any_type_is_in_the_example(field: Field) -> None:
    document = await own(everything(fields=(field,)))
    content = document["paths"]["/register"]["post"]["requestBody"]["content"]["application/json"]

    assert field.name in content["example"]
    assert complaints(document) == []


@pytest.mark.parametrize("name", BY_TOKEN_OR_CODE)
async def test_a_token_or_a_code_is_a_choice_of_two_whole_bodies(name: str) -> None:
    schemas = (await own(everything()))["components"]["schemas"]
    by_token, by_code = (schemas[f"{name}By{way}Request"] for way in ("Token", "Code"))

    assert schemas[f"{name}Request"] == {
        "oneOf": [{"$ref": f"#/components/schemas/{name}By{way}Request"} for way in ("Token", "Code")]
    }
    assert by_token["properties"].keys() ^ by_code["properties"].keys() == {"token", "request", "code"}
    assert {"token"} <= {*by_token["required"]} <= by_token["properties"].keys()
    assert {"request", "code"} <= {*by_code["required"]} <= by_code["properties"].keys()
    assert not by_token["additionalProperties"]
    assert not by_code["additionalProperties"]
    required = {**by_token["properties"], **by_code["properties"]}
    assert [required[item]["type"] for item in ("token", "request", "code")] == ["string"] * 3
    assert (
        ("new_password" in by_token["required"]) is ("new_password" in by_code["required"]) is (name == "ResetPassword")
    )


async def test_each_grant_type_is_a_whole_body() -> None:
    schemas = (await own(everything()))["components"]["schemas"]
    password, refresh = schemas["TokenByPasswordRequest"], schemas["TokenByRefreshTokenRequest"]

    assert password["properties"].keys() == {"grant_type", "username", "password"}
    assert refresh["properties"].keys() == {"grant_type", "refresh_token"}
    assert password["required"] == ["grant_type", "username", "password"]
    assert password["properties"]["grant_type"]["const"] == "password"
    by_code, again = schemas["ClientTokenByCodeRequest"], schemas["ClientTokenByRefreshTokenRequest"]
    assert by_code["required"] == ["grant_type", "code", "code_verifier"]
    assert by_code["properties"].keys() - again["properties"].keys() == {"code", "code_verifier"}
    assert again["properties"]["grant_type"]["const"] == "refresh_token"


async def test_no_schema_has_a_choice_beside_its_own_properties() -> None:
    document = await own(everything())

    for name, schema in document["components"]["schemas"].items():
        assert "oneOf" not in schema or schema.keys() == {"oneOf"}, name


def test_a_part_without_a_title_is_named_by_its_required_fields() -> None:
    schema = {"properties": {"a_b": {"type": "string", "minLength": 6}, "c": {"type": "integer"}}, "required": []}
    found = written_out(schema, [{"required": ["a_b", "c"]}, {"required": ["c"]}])

    assert found.keys() == {"ByABAndC", "ByC"}
    assert found["ByC"]["properties"].keys() == {"c"}
    assert example_of(found["ByABAndC"]) == {"a_b": "texttt", "c": 1}


@pytest.mark.parametrize("transport", ["bearer", "cookie"])
async def test_the_transport_has_the_default_of_the_settings(transport: str) -> None:
    document = await own(everything(transport=transport))
    found = document["paths"]["/login"]["post"]["parameters"]
    header = next(item for item in found if item["name"] == "Auth-Transport")

    assert header["schema"] == {"type": "string", "enum": ["bearer", "cookie"], "default": transport}
    assert header["example"] == transport
