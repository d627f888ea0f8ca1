"""The auth routes in the documents of FastAPI and Litestar: there, valid, and out of the host's way."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from litestar import Litestar, get
from msgspec import Struct
from openapi_spec_validator import validate
from pydantic import BaseModel

from asgi_auth import AuthApp, AuthMiddleware
from asgi_auth.hosts import fastapi, litestar
from tests.openapi.everything import everything
from tests.openapi.support import resolve
from tests.support import EMAIL, ORIGIN, PASSWORD, Client, bearer, make_auth, register


class UserInfo(BaseModel):
    """The host's, not ours."""

    nickname: str


class TokenPair(Struct):
    """The host's, too."""

    left: str


def fastapi_host() -> FastAPI:
    app = FastAPI()
    fastapi.install(app)

    @app.get("/")
    async def login(user: fastapi.CurrentUser) -> UserInfo:
        return UserInfo(nickname=user.id)

    return app


@get("/pair")
async def login() -> TokenPair:
    return TokenPair("left")


async def merged_fastapi(auth: Any, mount: str) -> Any:
    app = fastapi_host()
    fastapi.merge_openapi(app, auth, mount=mount)
    app.openapi()
    return (await Client(app).get("/openapi.json")).json


async def merged_litestar(auth: Any, mount: str) -> Any:
    app = Litestar(route_handlers=[login], plugins=[litestar.AuthPlugin(auth, mount=mount)])
    litestar.merge_openapi(app, auth, mount=mount)
    return (await Client(app).get("/schema/openapi.json")).json  # type: ignore[arg-type]  # Litestar's own ASGI types


HOSTS = [(merged_fastapi, "/", "UserInfo"), (merged_litestar, "/pair", "TokenPair")]


@pytest.mark.parametrize(("merged", "own", "name"), HOSTS)
@pytest.mark.parametrize("mount", ["/auth", "/v1/login"])
async def test_the_hosts_document_has_both(merged: Callable[..., Any], own: str, name: str, mount: str) -> None:
    auth = everything(mount=mount, issuer=ORIGIN + mount)
    async with auth:
        document = await merged(auth, mount)
        served = await Client(AuthApp(auth)).get("/openapi.json")

    validate(document)
    assert {f"{mount}{path}" for path in served.json["paths"]} | {own} == document["paths"].keys()
    identifiers = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(set(identifiers)) == len(identifiers)
    prefix = mount[1:].replace("/", "_") + "_"
    host_schema = next(
        key for key in document["components"]["schemas"] if key.endswith(name) and not key.startswith(prefix)
    )
    assert document["components"]["schemas"][host_schema]["properties"].keys() <= {"nickname", "left"}


@pytest.mark.parametrize(("merged", "own", "name"), HOSTS)
async def test_every_reference_leads_somewhere(merged: Callable[..., Any], own: str, name: str) -> None:
    del own, name
    auth = everything()
    async with auth:
        document = await merged(auth, "/auth")

    def walk(value: Any) -> int:
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            assert resolve(document, value)
            return 1
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return sum(walk(child) for child in children)

    assert walk(document) > 50
    schemes = document["components"]["securitySchemes"].keys()
    for item in document["paths"].values():
        for operation in item.values():
            assert {name for way in operation.get("security", []) for name in way} <= schemes


async def test_a_selection_of_routes_and_a_second_merge_are_kept() -> None:
    auth = make_auth()
    app = fastapi_host()
    fastapi.merge_openapi(app, AuthApp(auth, include=["me"]), mount="/auth")
    fastapi.merge_openapi(app, AuthApp(auth, include=["login"]), mount="/staff")

    first, second = app.openapi(), app.openapi()

    assert first["paths"].keys() == {"/", "/auth/me", "/staff/login"}
    assert first == second
    assert len(second["tags"]) == 2


@pytest.mark.parametrize(("merged", "own", "name"), HOSTS)
async def test_the_names_have_no_dots_which_client_generators_refuse(
    merged: Callable[..., Any], own: str, name: str
) -> None:
    del own
    auth = everything(mount="/v1.2/login", issuer=f"{ORIGIN}/v1.2/login")
    async with auth:
        document = await merged(auth, "/v1.2/login")

    names = {key for kind in document["components"].values() for key in kind if not key.endswith(name)}
    names |= {item["operationId"] for path in document["paths"].values() for item in path.values()}
    assert len(names) > 50
    assert all("." not in key for key in names)


@pytest.mark.parametrize("mount", ["/auth", "/accounts"])
async def test_the_authorize_button_of_fastapi_logs_in_at_one_scheme_for_all_routes(mount: str) -> None:
    auth, app = make_auth(mount=mount), fastapi_host()
    fastapi.merge_openapi(app, auth, mount=mount)
    client = Client(AuthMiddleware(app, auth, mount=mount))
    async with auth:
        user_id = await register(auth)
        document = (await client.get("/openapi.json")).json
        page = await client.get("/docs")
        schemes = document["components"]["securitySchemes"]
        name = next(iter(document["paths"]["/"]["get"]["security"][0]))
        form = f"grant_type=password&username={EMAIL}&password={PASSWORD}".replace(" ", "+").encode()
        kind = {"content-type": "application/x-www-form-urlencoded"}
        url = schemes[name]["flows"]["password"]["tokenUrl"]
        token = (await client.post(f"/{url}", body=form, headers=kind)).json
        answer = await client.get("/", headers=bearer(token["access_token"]))

    assert page.status == 200
    assert answer.json == {"nickname": user_id}
    assert [key for key, item in schemes.items() if item["type"] == "oauth2"] == [name]
    assert {name: []} in document["paths"][f"{mount}/me"]["get"]["security"]


async def test_routes_without_a_token_endpoint_leave_the_scheme_of_the_host() -> None:
    app = fastapi_host()
    fastapi.merge_openapi(app, AuthApp(make_auth(), include=["me"]))

    document = app.openapi()

    assert document["paths"]["/"]["get"]["security"] == [{"asgi_auth": []}]
    assert document["components"]["securitySchemes"].keys() == {"asgi_auth", "auth_bearer", "auth_cookie"}


async def test_two_auths_keep_a_scheme_each_and_a_public_route_gets_none() -> None:
    app = fastapi_host()

    @app.get("/public")
    async def public() -> str:
        return "open to all"

    fastapi.merge_openapi(app, make_auth(), mount="/auth")
    fastapi.merge_openapi(app, make_auth(), mount="/staff")

    document = app.openapi()

    assert document["paths"]["/"]["get"]["security"] == [{"auth_oauth2": []}]
    assert "security" not in document["paths"]["/public"]["get"]
    assert {"staff_oauth2": []} in document["paths"]["/staff/me"]["get"]["security"]


@pytest.mark.parametrize("mount", ["auth", "/auth/", "/"])
def test_a_mount_that_is_no_path_is_refused(mount: str) -> None:
    with pytest.raises(ValueError, match="mount must be a path"):
        fastapi.merge_openapi(FastAPI(), make_auth(), mount=mount)
