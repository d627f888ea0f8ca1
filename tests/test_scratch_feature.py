"""A feature of a host's own, in one folder: endpoint, error, event, limit, texts in two languages, and a mail."""

import pytest

from asgi_auth import Account, Argon2, AuthMiddleware, OpenAPI, Outbox, Passwords, RateLimits, Sessions
from asgi_auth.feature import Event
from tests.scratch_feature import Nicknames
from tests.support import PASSWORD, Client, bearer, login, make_auth, register, who


@pytest.mark.parametrize(
    ("language", "greeting", "subject"),
    [("de-AT,en;q=0.5", "Guten Tag, Ada!", "Ihr Spitzname"), ("fr", "Hello, Ada!", "Your nickname")],
)
async def test_a_feature_in_a_folder_of_its_own_has_all_that_the_manual_promises(
    language: str, greeting: str, subject: str
) -> None:
    outbox, seen = Outbox(), list[Event]()
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Account(), Nicknames(), RateLimits(), OpenAPI()]
    async with make_auth(features=features, mailer=outbox) as auth:
        for outcome in ("success", "failure"):
            auth.on("nickname", seen.append, outcome=outcome)
        await register(auth)
        await register(auth, "eve@example.com")
        ada = bearer(await login(auth)) | {"accept-language": language}
        eve = bearer(await login(auth, "eve@example.com", PASSWORD))
        client = Client(AuthMiddleware(who, auth, mount="/auth"))

        anonymous = await client.post("/auth/nickname", {"name": "Ada"})
        chosen = await client.post("/auth/nickname", {"name": "Ada"}, headers=ada)
        taken = await client.post("/auth/nickname", {"name": "Ada"}, headers=eve)
        again = await client.post("/auth/nickname", {"name": "Ada"}, headers=ada)
        limited = await client.post("/auth/nickname", {"name": "Ada"}, headers=ada)
        mail = await outbox.next("nickname")
        await client.post("/auth/nickname", {"name": "<b>Eve & Co</b>"}, headers=eve)
        typed = await outbox.next("nickname", to="eve@example.com")
        document = (await client.get("/auth/openapi.json")).json

    assert [answer.status for answer in (anonymous, chosen, taken, again, limited)] == [401, 200, 409, 200, 429]
    assert chosen.json == {"text": greeting}
    assert taken.json["code"] == "nickname_taken"
    assert limited.header("retry-after") is not None
    assert (mail.to, mail.subject) == ("ada@example.com", subject)
    assert typed.text == "You are now called <b>Eve & Co</b>."
    assert typed.html == "<p>You are now called &lt;b&gt;Eve &amp; Co&lt;/b&gt;.</p>"
    assert [(event.outcome, event.code) for event in seen] == [
        ("success", "user_updated"),
        ("failure", "user_update_fail"),
        ("success", "user_updated"),
        ("success", "user_updated"),
    ]
    assert document["paths"]["/nickname"]["post"]["responses"]["409"] == {
        "$ref": "#/components/responses/NicknameTaken"
    }
    assert "nickname_taken" in str(document["components"]["responses"]["NicknameTaken"])
