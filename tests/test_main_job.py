"""The main job, end to end: register, log in, be recognised, refresh, log out."""

from asgi_auth import AuthMiddleware
from tests.support import EMAIL, PASSWORD, Client, bearer, make_auth, who

ACCOUNT = {"email": EMAIL, "password": PASSWORD}


async def test_an_account_lives_from_registration_to_logout() -> None:
    async with make_auth() as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))

        user = (await client.post("/auth/register", ACCOUNT)).json["user"]
        first = (await client.post("/auth/login", ACCOUNT)).json
        seen = await client.get("/", headers=bearer(first["access_token"]))
        second = (await client.post("/auth/refresh", {"refresh_token": first["refresh_token"]})).json
        me = await client.get("/auth/me", headers=bearer(second["access_token"]))
        logout = await client.post("/auth/logout", headers=bearer(second["access_token"]))

        assert seen.json["id"] == user["id"] == me.json["id"]
        assert logout.status == 204
        for token in (first["access_token"], second["access_token"]):
            assert (await client.get("/auth/me", headers=bearer(token))).json["code"] == "token_revoked"
        late = await client.post("/auth/refresh", {"refresh_token": second["refresh_token"]})
        assert (late.status, late.json["code"]) == (401, "token_revoked")
