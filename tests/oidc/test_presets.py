"""Each preset against a provider that behaves as its documentation says."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization

from asgi_auth import OIDC, Auth, AuthMiddleware, Outbox
from asgi_auth.features.oidc import apple, discord, github, google, linkedin, microsoft
from asgi_auth.testing import provider as fakes
from asgi_auth.testing.provider import FakeProvider, InProcess, RegisteredClient
from asgi_auth.testing.provider.jose import signing_key
from asgi_auth.testing.provider.server import FakeServer
from tests.oidc.world import SECRET
from tests.support import ORIGIN, Answer, Client, Clock, cheap, make_auth, who

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
MICROSOFT = "https://login.microsoftonline.com"
VERIFIED = {"email": "ada@example.com", "email_verified": True}


class App:
    """An app with one provider, and a browser."""

    def __init__(self, auth: Auth, server: FakeServer) -> None:
        self.auth, self.server = auth, server
        self.browser = Client(AuthMiddleware(who, auth, mount="/auth"), keep_cookies=True)

    async def login(self) -> Answer:
        (name,) = self.auth[OIDC]._providers
        begun = await self.browser.get(f"/auth/oidc/{name}/login")
        way = await self.server.visit(begun.header("location") or "")
        path = way.url.removeprefix(ORIGIN)
        if way.mode == "form_post":
            form = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "cross-site"}
            posted = await Client(self.browser.app).post(path, body=urlencode(way.parameters).encode(), headers=form)
            location = urlsplit(posted.header("location") or "")
            path = f"{location.path}?{location.query}"
        return await self.browser.get(path)

    async def me(self) -> Any:
        return (await self.browser.get("/auth/me")).json


@asynccontextmanager
async def app_with(preset: Any, make: Callable[..., FakeServer], **options: Any) -> AsyncIterator[App]:
    clock = Clock()
    server = make(client_secret=SECRET, now=clock, **options)
    features = [*cheap(mail=True), OIDC([preset], outgoing=InProcess(server))]
    async with make_auth(clock=clock, features=features, mailer=Outbox()) as auth:
        yield App(auth, server)


def a_google(**options: Any) -> FakeProvider:
    """Google has its endpoints on other servers."""
    made = FakeProvider("https://accounts.google.com", announces_iss=False, **options)
    made.paths = {
        **made.paths,
        "authorization": "/o/oauth2/v2/auth",
        "token": "https://oauth2.googleapis.com/token",
        "userinfo": "https://openidconnect.googleapis.com/v1/userinfo",
        "keys": "https://www.googleapis.com/oauth2/v3/certs",
    }
    return made


async def test_google_logs_in() -> None:
    async with app_with(google("app", SECRET), a_google) as app:
        app.server.add_user("1076", **VERIFIED)

        assert (await app.login()).status == 303
        assert (await app.me())["email_verified"] is True


@pytest.mark.parametrize(
    ("claims", "status"), [({"hd": "corp.example"}, 303), ({"hd": "other.example"}, 400), ({}, 400)]
)
async def test_the_hosted_domain_of_google_is_the_signed_one(claims: dict[str, str], status: int) -> None:
    async with app_with(google("app", SECRET, hosted_domain="corp.example"), a_google) as app:
        # The address does not say it: its domain is another claim.
        app.server.add_user("1076", email="ada@corp.example", email_verified=True, **claims)

        assert (await app.login()).status == status


def a_microsoft(tenant: str) -> Callable[..., FakeProvider]:
    """Microsoft has metadata below the tenant, and tokens of the tenant of the user."""

    def make(**options: Any) -> FakeProvider:
        made = FakeProvider(f"{MICROSOFT}/{'{tenantid}' if tenant == 'common' else tenant}/v2.0", **options)
        made.announces_iss = False
        base = f"{MICROSOFT}/{tenant}"
        made.paths = {
            "metadata": f"{base}/v2.0/.well-known/openid-configuration",
            "authorization": f"{base}/oauth2/v2.0/authorize",
            "token": f"{base}/oauth2/v2.0/token",
            "userinfo": "https://graph.microsoft.com/oidc/userinfo",
            "keys": f"{base}/discovery/v2.0/keys",
        }
        return made

    return make


@pytest.mark.parametrize("claims", [{}, {"email_verified": True}, {"xms_edov": "true"}, {"xms_edov": 1}])
async def test_an_address_of_microsoft_is_no_proof(claims: dict[str, Any]) -> None:
    async with app_with(microsoft("app", SECRET, tenant=TENANT), a_microsoft(TENANT)) as app:
        app.server.add_user("AAAA", email="ada@example.com", tid=TENANT, **claims)
        answer = await app.login()

        assert answer.status == 202
        assert await app.auth.storage.users(limit=9) == []


async def test_a_tenant_of_microsoft_proves_an_address_by_xms_edov() -> None:
    async with app_with(microsoft("app", SECRET, tenant=TENANT), a_microsoft(TENANT)) as app:
        app.server.add_user("AAAA", email="ada@example.com", tid=TENANT, xms_edov=True)

        assert (await app.login()).status == 303


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"iss": f"{MICROSOFT}/{TENANT}/v2.0", "tid": TENANT}, 202),
        ({"iss": f"{MICROSOFT}/{TENANT}/v2.0", "tid": TENANT[::-1]}, 400),
        ({"iss": f"{MICROSOFT}/{TENANT}/v2.0"}, 400),
        ({"iss": f"{MICROSOFT}/x/v2.0", "tid": "x"}, 400),
        ({"iss": MICROSOFT + "/{tenantid}/v2.0", "tid": "{tenantid}"}, 400),
        ({"tid": "x"}, 400),
    ],
)
async def test_common_of_microsoft_binds_the_issuer_to_the_tenant_and_links_nothing(
    claims: dict[str, Any], status: int
) -> None:
    async with app_with(microsoft("app", SECRET, tenant="common"), a_microsoft("common")) as app:
        app.server.add_user("AAAA", email="ada@example.com", xms_edov=True, **claims)

        assert (await app.login()).status == status
        assert await app.auth.storage.users(limit=9) == []


@pytest.mark.parametrize("verified", [True, "true"])
async def test_apple_answers_by_a_form_and_takes_a_signed_secret(verified: object) -> None:
    key = signing_key("client", "ES256")
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    text = key.private.private_bytes(*pem).decode()
    preset = apple("app", team_id="TEAM", key_id="KEY", private_key=text)

    def make(**options: Any) -> FakeProvider:
        made = FakeProvider("https://appleid.apple.com", announces_iss=False, **options)
        made.methods = ["client_secret_post"]
        made.add_client(RegisteredClient("app", public_key=key.pem, team="TEAM"))
        return made

    async with app_with(preset, make) as app:
        app.server.add_user("001", email="ada@example.com", email_verified=verified)
        assert (await app.login()).status == 303
        assert (await app.me())["email_verified"] is True
        (asked,) = app.server.asked("authorization")
        assert asked.query["response_mode"] == "form_post"


def mails(*, verified: bool, primary: bool = True) -> list[dict[str, Any]]:
    return [
        {"email": "public@example.com", "primary": False, "verified": True},
        {"email": "ada@example.com", "primary": primary, "verified": verified},
    ]


async def test_github_logs_in_by_its_number_and_the_primary_address() -> None:
    async with app_with(github("app", SECRET), fakes.github) as app:
        app.server.add_user("583231", login="ada", email="public@example.com", emails=mails(verified=True))
        assert (await app.login()).status == 303
        me = await app.me()
        (linked,) = (await app.browser.get("/auth/identities")).json["identities"]

        assert (me["email"], me["email_verified"], linked["name"]) == ("ada@example.com", True, "ada")
        # Another name and other addresses are the same account.
        app.server.add_user("583231", login="renamed", emails=[])
        assert (await app.login()).status == 303
        assert (await app.me())["id"] == me["id"]


@pytest.mark.parametrize("emails", [mails(verified=False), []])
async def test_an_address_of_github_that_is_not_verified_makes_no_account(emails: list[dict[str, Any]]) -> None:
    async with app_with(github("app", SECRET), fakes.github) as app:
        app.server.add_user("583231", email="public@example.com", emails=emails)
        answer = await app.login()

        assert answer.status in {202, 422}
        assert await app.auth.storage.users(limit=9) == []


async def test_a_code_that_github_refuses_with_status_200_is_refused() -> None:
    async with app_with(github("app", SECRET), fakes.github) as app:
        app.server.add_user("7", emails=mails(verified=True))
        app.server.lies("an unknown code")

        assert (await app.login()).status == 400


@pytest.mark.parametrize(("verified", "status"), [(True, 303), (False, 202)])
async def test_discord_says_in_the_user_whether_the_address_is_verified(verified: bool, status: int) -> None:  # noqa: FBT001 (a parameter)
    async with app_with(discord("app", SECRET), fakes.discord) as app:
        app.server.add_user("80351110224678912", email="ada@example.com", verified=verified)

        assert (await app.login()).status == status


@pytest.mark.parametrize(("verified", "status"), [(True, 303), ("true", 202)])
async def test_linkedin_has_the_claims_at_userinfo(verified: object, status: int) -> None:
    async with app_with(linkedin("app", SECRET), fakes.linkedin) as app:
        app.server.add_user("782bbtaQ", email="ada@example.com", email_verified=verified)

        assert (await app.login()).status == status
