"""The flow of a client: metadata, registration, consent, code, tokens, the resource, and the end."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from asgi_auth import AuthMiddleware, Resource
from tests.oauth.world import SCOPES, World, answered, make
from tests.support import ORIGIN, Clock


async def test_a_client_finds_registers_is_let_in_and_goes_on(world: World) -> None:
    challenge = str((await world.program.get("/mcp")).header("www-authenticate"))
    assert challenge.endswith(f'resource_metadata="{ORIGIN}/.well-known/oauth-protected-resource/mcp"')
    resource = await world.program.get("/.well-known/oauth-protected-resource/mcp")
    assert resource.json == {
        "resource": f"{ORIGIN}/mcp",
        "resource_name": "Notes",
        "authorization_servers": [f"{ORIGIN}/auth"],
        "scopes_supported": ["notes:read", "notes:write"],
        "bearer_methods_supported": ["header"],
    }
    assert (await world.program.get("/.well-known/oauth-protected-resource")).json == resource.json
    metadata = (await world.program.get("/.well-known/oauth-authorization-server/auth")).json
    assert metadata["issuer"] == f"{ORIGIN}/auth"
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["registration_endpoint"] == f"{ORIGIN}/auth/oauth/register"
    assert metadata["authorization_response_iss_parameter_supported"] is True
    client_id = await world.register_client()
    page = await world.page(client_id)
    text = page.body.decode()
    assert "Claude" in text
    assert "Read your notes" in text
    assert "form-action http://127.0.0.1:33418 'self'" in str(page.header("content-security-policy"))
    assert "frame-ancestors 'none'" in str(page.header("content-security-policy"))

    told = answered(await world.decide(page))
    assert (told["state"], told["iss"]) == ("xyz", f"{ORIGIN}/auth")
    tokens = (await world.redeem(client_id, told["code"])).json

    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 3600, "notes:read notes:write")
    assert (await world.use(tokens["access_token"])).json["client"] == client_id
    assert (await world.use(tokens["access_token"], "/")).json["id"] == ""
    again = (await world.refresh(client_id, tokens["refresh_token"])).json
    assert (await world.use(again["access_token"])).status == 200
    apps = (await world.browser.get("/auth/connected-apps")).json["apps"]
    assert [(app["name"], app["host"], app["verified"]) for app in apps] == [("Claude", "", False)]
    gone = await world.browser.request("DELETE", f"/auth/connected-apps/{apps[0]['id']}")
    assert gone.status == 204
    assert (await world.use(again["access_token"])).status == 401
    assert (await world.refresh(client_id, again["refresh_token"])).json["error"] == "invalid_grant"


async def test_scripts_of_every_site_reach_what_clients_need_and_nothing_else(world: World) -> None:
    client_id = await world.register_client()
    told = answered(await world.decide(await world.page(client_id)))
    world.program.headers = {"origin": "https://client.example", "sec-fetch-site": "cross-site"}

    tokens = await world.redeem(client_id, told["code"])
    assert (tokens.status, tokens.header("access-control-allow-origin"), tokens.cookies) == (200, "*", {})
    assert tokens.header("access-control-allow-credentials") is None
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "mcp-protocol-version"}
    for path in ("/auth/oauth/token", "/auth/oauth/register", "/auth/revoke"):
        preflight = await world.program.request("OPTIONS", path, headers=asked)
        assert "mcp-protocol-version" in str(preflight.header("access-control-allow-headers")), path
    for path in ("/auth/token", "/auth/connected-apps", "/auth/authorize"):
        preflight = await world.program.request("OPTIONS", path, headers=asked)
        assert preflight.header("access-control-allow-origin") is None, path


async def test_a_resource_that_the_host_does_not_serve_is_told(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    parts = {path: Resource(path, scopes=SCOPES) for path in ("/mcp", "/files")}
    async with make(clock, resources=parts) as auth:
        served = Starlette(routes=[Route("/mcp", host_route), Route("/files/list", host_route)])
        world = World(auth, clock, AuthMiddleware(served, auth, mount="/auth"))
        await world.log_in()
        client_id = await world.register_client()
        for path, status in (("/mcp", 200), ("/mcp/x", 404), ("/files/list", 200), ("/files", 404), ("/files", 404)):
            part = f"/{path.split('/')[1]}"
            token = (await world.connect(client_id, resource=f"{ORIGIN}{part}"))["access_token"]
            assert (await world.use(token, path)).status == status
            old = {"authorization": f"Bearer {token}", "mcp-session-id": "old"}
            assert (await world.program.get(path, headers=old)).status == status

    told = [record.getMessage() for record in caplog.records if "answers 404" in record.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("AuthorizationServer: the host answers 404 at /files,")


async def host_route(request: Request) -> Response:
    """Answer."""
    return Response(request.url.path)
