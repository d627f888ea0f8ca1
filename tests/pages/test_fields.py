"""Extra fields of each type in forms: their elements, what they send, and what stays after an error."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from asgi_auth import Auth, AuthMiddleware, Field, Outbox, Pages
from asgi_auth.feature import Email
from tests.pages.flows import all_features
from tests.pages.surfer import Page, Surfer
from tests.support import EMAIL, PASSWORD, Clock, make_auth, who


class Home(msgspec.Struct):
    street: str


FIELDS = [
    Field("plan", choices=["free", "pro", "a & b"], default="free"),
    Field("size", int, choices=[1, 2], required=True),
    Field("badge", pattern="[A-Z]{3}"),
    Field("born", date, minimum=date(1900, 1, 1)),
    Field("seen", datetime),
    Field("other", Email),
    Field("tags", list[str], max_items=2),
    Field("colors", list[str], choices=["red", "dark blue\n[x]"]),
    Field("home", Home),
    Field("news", bool, default=True),
    Field("level", int, default=0),
]
#: The ids of the boxes of the colors.
COLORS = ["register-colors", "register-colors-1"]
FILLED = {
    "plan": "a & b", "size": "2", "badge": "ABC", "born": "1990-12-10", "seen": "2026-03-31T12:00:05",
    "other": "b@example.com", "tags": "x\r\ny", "colors.0": "on",
    "home": '{"street": "x"}', "level": "7",
}  # fmt: skip
STORED: dict[str, Any] = {
    "plan": "a & b", "size": 2, "badge": "ABC", "born": "1990-12-10", "seen": "2026-03-31T12:00:05Z",
    "other": "b@example.com", "tags": ["x", "y"], "colors": ["red"], "home": {"street": "x"}, "news": False, "level": 7,
}  # fmt: skip


@pytest.fixture
async def auth(clock: Clock) -> AsyncIterator[Auth]:
    texts = {
        "en": {"choice.plan.pro": "Professional", "pages.hint.badge": "Three letters."},
        "de": {"field.plan": "Tarif"},
    }
    options: dict[str, Any] = {"fields": FIELDS, "verification": "off", "texts": texts}
    async with make_auth(clock=clock, features=all_features(Pages()), mailer=Outbox(), **options) as made:
        yield made


@pytest.fixture
def surfer(auth: Auth) -> Surfer:
    return Surfer(AuthMiddleware(who, auth, mount="/auth"))


async def registered(surfer: Surfer, **values: str) -> Page:
    """Fill in the registration; an unchecked box is not sent."""
    form = (await surfer.get("register")).form("/register")
    sent = form.values | {"email": EMAIL, "password": PASSWORD, **FILLED, **values}
    return await surfer.post(form.action, {name: text for name, text in sent.items() if name != "news"})


async def test_each_type_has_its_element(surfer: Surfer) -> None:
    page = await surfer.get("register")
    inputs = page.form("/register").inputs

    assert {name: item["type"] for name, item in inputs.items() if name in {field.name for field in FIELDS}} == {
        "plan": "select", "size": "select", "badge": "text", "born": "date", "seen": "datetime-local", "other": "email",
        "tags": "textarea", "home": "textarea", "news": "checkbox", "level": "number",
    }  # fmt: skip
    assert [(inputs[f"colors.{index}"]["type"], page.by_id(name)[0]) for index, name in enumerate(COLORS)] == [
        ("checkbox", "input"), ("checkbox", "input"),
    ]  # fmt: skip
    assert (inputs["plan"]["value"], inputs["level"]["value"], "checked" in inputs["news"]) == ("free", "0", True)
    assert (inputs["badge"]["pattern"], inputs["born"]["min"]) == ("[A-Z]{3}", "1900-01-01")
    assert ("required" in inputs["size"], "required" in inputs["other"]) == (True, False)
    assert all(text in page.text for text in ("Professional", "Three letters.", "One item a line.", "red", "In UTC"))


async def test_a_form_stores_what_json_would(surfer: Surfer, auth: Auth) -> None:
    page = await registered(surfer)

    assert page.url == "/auth/login?said=registered", page.text
    assert (await auth.users.by_email(EMAIL)).data == STORED


async def test_the_account_page_shows_what_is_stored_and_saves_it_unchanged(surfer: Surfer, auth: Auth) -> None:
    page = await registered(surfer)
    await surfer.submit(page, "/login", email=EMAIL, password=PASSWORD)
    form = (await surfer.get("account")).form("/me")
    saved = await surfer.post(form.action, form.values)

    assert (form.inputs["plan"]["value"], form.inputs["seen"]["value"]) == ("a & b", "2026-03-31T12:00:05")
    assert saved.url == "/auth/account?said=saved", saved.text
    assert (await auth.users.by_email(EMAIL)).data == STORED


async def test_empty_fields_are_cleared_and_a_required_one_is_not(surfer: Surfer, auth: Auth) -> None:
    page = await registered(surfer)
    await surfer.submit(page, "/login", email=EMAIL, password=PASSWORD)
    form = (await surfer.get("account")).form("/me")
    empty = dict.fromkeys(FILLED, "")
    refused = await surfer.post(form.action, empty)
    saved = await surfer.post(form.action, empty | {"size": "1", "tags": " \r\n "})

    assert (refused.status, refused.form("/me").inputs["size"].get("aria-invalid")) == (422, "true")
    assert saved.url == "/auth/account?said=saved", saved.text
    empty_now: dict[str, Any] = {**dict.fromkeys(STORED), "size": 1, "news": False, "colors": []}
    assert (await auth.users.by_email(EMAIL)).data == empty_now


WRONG = {
    "plan": "gold", "size": "9", "badge": "abc", "born": "31.3.1990", "seen": "now", "other": "b@", "tags": "x\ny\nz",
    "colors": "red\ngreen", "home": "{<street>", "level": "many",
}  # fmt: skip


async def test_what_was_typed_stays_after_an_error(surfer: Surfer) -> None:
    page = await registered(surfer, **WRONG)
    inputs = page.form("/register").inputs

    assert page.status == 422
    assert {name for name, item in inputs.items() if item.get("aria-invalid")} == (
        {*WRONG, "colors.0", "colors.1"} - {"colors"}
    )
    # A browser shows no choice that there is not.
    left = {name: inputs[name].get("value", "") for name in WRONG if name != "colors"}
    assert left == {name: text for name, text in WRONG.items() if name != "colors"} | {"plan": "", "size": ""}
    again = await registered(surfer, badge="abc")
    assert again.form("/register").values == (
        {"email": EMAIL, "password": "", **FILLED, "tags": "x\r\ny", "badge": "abc"}
    )


async def test_reasons_are_in_the_language_of_the_visitor(surfer: Surfer) -> None:
    surfer.client.headers["accept-language"] = "de"
    page = await registered(surfer, plan="gold", born="1899-12-31", tags="x\ny\nz")

    assert page.status == 422
    for text in ("Tarif", "Bitte wählen Sie einen der Werte aus.", "1900-01-01 oder einen späteren", "höchstens 2 Ein"):
        assert text in page.text


async def test_a_list_with_choices_is_a_group_of_boxes(surfer: Surfer, auth: Auth) -> None:
    page = await registered(surfer, **{"colors.1": "on"})
    await surfer.submit(page, "/login", email=EMAIL, password=PASSWORD)
    assert (await auth.users.by_email(EMAIL)).data["colors"] == ["red", "dark blue\n[x]"]

    form = (await surfer.get("account")).form("/me")
    one = {name: value for name, value in form.values.items() if name != "colors.0"}
    await surfer.post(form.action, one)
    assert (await auth.users.by_email(EMAIL)).data["colors"] == ["dark blue\n[x]"]
    refused = await surfer.post(form.action, one | {"badge": "abc"})
    assert {"colors.0", "colors.1"} & refused.form("/me").values.keys() == {"colors.1"}
    await surfer.post(form.action, {name: value for name, value in one.items() if name != "colors.1"})
    assert (await auth.users.by_email(EMAIL)).data["colors"] == []
    assert (await surfer.post(form.action, one | {"colors.2": "on"})).status == 422


async def test_a_required_group_needs_a_box_and_a_default_can_be_unchecked(clock: Clock) -> None:
    fields = [
        Field("needed", list[int], choices=[1, 2], required=True),
        Field("given", list[str], choices=["a", "b"], default=["b"]),
        Field("many", list[int], choices=range(41)),
    ]
    async with make_auth(clock=clock, features=all_features(Pages()), mailer=Outbox(), fields=fields) as auth:
        surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
        form = (await surfer.get("register")).form("/register")
        assert ("checked" in form.inputs["given.1"], form.inputs["many"]["type"]) == (True, "textarea")

        sent = {name: value for name, value in form.values.items() if name != "given.1"}
        sent |= {"email": EMAIL, "password": PASSWORD}
        refused = await surfer.post(form.action, sent)
        tag, fieldset = next(item for item in refused.tags if item[0] == "fieldset")
        assert (refused.status, tag, fieldset["aria-describedby"]) == (422, "fieldset", "register-needed-error")
        await surfer.post(form.action, sent | {"needed.1": "on"})

        assert (await auth.users.by_email(EMAIL)).data == {"needed": [2], "given": [], "many": None}
