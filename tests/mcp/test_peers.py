"""Libraries of OAuth that know nothing of MCP: openid-client, oauth4webapi and Authlib, with and without a secret."""

import asyncio
import json
from typing import Any

import httpx2
import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from tests.mcp.browser import browsing
from tests.mcp.node import FOLDER, node
from tests.mcp.serving import CALLBACK, CLIENT_SECRET, Server

LOCAL = "http://127.0.0.1:33418/callback"
#: The id, the secret and the address of a client that is known, and of one that registers itself.
CLIENTS = {"known": ("reports & co", CLIENT_SECRET, CALLBACK), "registered": ("", "", LOCAL)}

pytestmark = [pytest.mark.timeout(200), pytest.mark.parametrize("kind", CLIENTS)]


def judge(told: dict[str, Any], kind: str) -> None:
    """Require what every library is told in the end."""
    assert (told["tokens"]["scope"], told["tokens"]["expires_in"]) == ("files:read", 3600)
    assert told["fresh"]["refresh_token"] != told["tokens"]["refresh_token"]
    assert (told["before"]["client"], told["before"]["scopes"]) == (told["client"], ["authenticated", "files:read"])
    assert told["client"] == CLIENTS[kind][0] or kind == "registered"
    assert (told["refused"], told["after"]) == ("invalid_grant", 401)


@pytest.mark.parametrize("library", ["openid-client", "oauth4webapi"])
async def test_libraries_of_javascript_connect_refresh_and_revoke(team: Server, kind: str, library: str) -> None:
    pipe = asyncio.subprocess.PIPE
    arguments = [f"{team.origin}/team/auth", *CLIENTS[kind], f"{team.origin}/team/plain"]
    process = await asyncio.create_subprocess_exec(
        node(), "peer.mjs", library, *arguments, cwd=FOLDER, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert process.stdin
    assert process.stdout
    url = json.loads(await process.stdout.readline() or b"{}").get("open", "")
    async with browsing(team.cookies) as browser:
        landed = await browser.open(url) if url else ""
    output, trouble = await process.communicate(f"{landed}\n".encode())

    assert process.returncode == 0, trouble.decode()
    judge(json.loads(output), kind)


async def test_authlib_connects_refreshes_and_revokes(team: Server, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The server is on this machine, and has no certificate.
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    client_id, secret, callback = CLIENTS[kind]
    resource = f"{team.origin}/team/plain"
    async with browsing(team.cookies) as browser, httpx2.AsyncClient() as http:
        found = (await http.get(f"{team.origin}/.well-known/oauth-authorization-server/team/auth")).json()
        if not client_id:
            asked = {"redirect_uris": [callback], "client_name": "Authlib"}
            client_id = (await http.post(found["registration_endpoint"], json=asked)).json()["client_id"]
        with OAuth2Session(
            client_id, secret or None, redirect_uri=callback, code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            revocation_endpoint_auth_method="client_secret_basic" if secret else "none",
        ) as session:  # fmt: skip
            verifier = "v" * 43
            url, state = session.create_authorization_url(
                found["authorization_endpoint"], code_verifier=verifier, resource=resource
            )
            landed = await browser.open(url)

            def talk() -> dict[str, Any]:
                """Do all that waits for the server: Authlib blocks."""
                told: dict[str, Any] = {"client": client_id}
                told["tokens"] = session.fetch_token(
                    found["token_endpoint"], authorization_response=landed, state=state, code_verifier=verifier
                )
                told["fresh"] = session.refresh_token(found["token_endpoint"], told["tokens"]["refresh_token"])
                told["before"] = session.get(resource).json()
                last = told["fresh"]["refresh_token"]
                session.revoke_token(found["revocation_endpoint"], last, "refresh_token")
                with pytest.raises(OAuthError) as caught:
                    session.refresh_token(found["token_endpoint"], last)
                return told | {"refused": caught.value.error, "after": session.get(resource).status_code}

            judge(await asyncio.to_thread(talk), kind)
