"""Pages ask for what their visitor has."""

import base64
import json

from asgi_auth import AuthMiddleware
from asgi_auth.features.totp.codes import code_at
from tests.pages.surfer import Page, Surfer
from tests.passkeys.owner import an_owner, set_password
from tests.support import EMAIL, PASSWORD, who

NEW = "bob@example.com"


def actions(page: Page) -> set[str]:
    """The last parts of the paths that the forms of a page post to."""
    return {form.action.rpartition("/auth")[2].partition("?")[0] for form in page.forms}


async def test_pages_ask_a_user_for_no_password_that_there_is_not() -> None:
    async with an_owner() as owner:
        surfer = Surfer(AuthMiddleware(who, owner.auth, mount="/auth"))
        options = (await owner.post("/login/passkey/options")).json["options"]
        shown = json.dumps(owner.device.get(options))
        await surfer.post("login/passkey", {"credential": shown})

        account = await surfer.get("account")

        assert "/change-password" not in actions(account)
        assert {"/close-account", "/change-email"} <= actions(account)
        assert [item for tag, item in account.tags if tag == "input" and item.get("type") == "password"] == []
        proof = await surfer.get("reauthenticate")
        assert actions(proof) == {"/reauthenticate/passkey"}
        owner.clock.move(700)
        refused = await surfer.submit(account, "/change-email", new_email=NEW)
        assert actions(refused) == {"/reauthenticate/passkey"}
        owner.client.headers = {}
        await owner.log_in()
        surfer.client.cookies.clear()
        options = (await owner.post("/login/passkey/options")).json["options"]
        await surfer.post("login/passkey", {"credential": json.dumps(owner.device.get(options))})
        [first] = [url for url in (await surfer.get("account")).links if "set-password" in url]
        await surfer.submit(await surfer.get(first), "/set-password", new_password=PASSWORD)
        after = await surfer.get("account")
        assert "/change-password" in actions(after)
        assert after.form("/close-account").inputs["password"]["type"] == "password"


async def test_the_second_step_asks_for_the_factors_of_the_user() -> None:
    async with an_owner() as owner:
        await owner.log_in()
        await set_password(owner)
        surfer = Surfer(AuthMiddleware(who, owner.auth, mount="/auth"))

        async def second_step() -> Page:
            return await surfer.post("login", {"email": EMAIL, "password": PASSWORD})

        step = await second_step()
        assert actions(step) == {"/login/passkey"}
        assert "trust_device" in step.form("/login/passkey").inputs
        assert "JavaScript" in step.text
        await owner.log_in()
        setup = (await owner.post("/totp/setup")).json
        code = code_at(base64.b32decode(setup["secret"]), int(owner.clock() // 30))
        assert (await owner.post("/totp", request=setup["request"], code=code)).status == 200

        assert actions(await second_step()) == {"/login/passkey", "/login/totp"}

        entrance = await Surfer(AuthMiddleware(who, owner.auth, mount="/auth")).get("login")
        assert "trust_device" not in entrance.form("/login/passkey").inputs


async def test_a_refused_sign_up_is_shown_by_the_form_of_the_page() -> None:
    async with an_owner() as owner:
        surfer = Surfer(AuthMiddleware(who, owner.auth, mount="/auth"))
        sent = {"email": "ada@localhost", "request": "x", "credential": "{}"}

        page = await surfer.post("register/passkey", sent)

        assert page.status == 422
        main = page.form("/register").inputs["email"]
        assert (main["value"], main["aria-invalid"]) == ("ada@localhost", "true")
        assert page.form("/register/passkey").inputs.keys() == {"request", "credential"}
        refused = await surfer.post("register/passkey", sent | {"email": "eve@example.com"})
        assert (refused.status, refused.form("/register").inputs["email"]["value"]) == (401, "eve@example.com")
        assert "The passkey was not accepted." in refused.text
