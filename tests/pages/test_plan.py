"""Pages of features: what a feature declares is served with its endpoints; mistakes are told when the app is made."""

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from asgi_auth import AuthApp, AuthMiddleware, Pages
from asgi_auth.errors import AuthError
from asgi_auth.feature import Feature, Form, Identity, Line, Page, Record, Section, get, post
from tests.pages.surfer import Surfer
from tests.support import EMAIL, PASSWORD, cheap, make_auth, who

TEXTS = """
[pages]
keys.title = "Your keys"
new_key.button = "Make a key"
new_key.title = "A new key"
name_key.button = "Name it"
name_key.title = "Its name"
link.keys = "Log in by a key"
said.named = "It has a name."
[field.name_key]
name = "Name of the key"
[pages.hint.name_key]
name = "What you call it."
"""
SECTION = """<section id="keys"><p>{{ data.names | join(", ") }}</p></section>
"""
PAGE = """{% extends "page.html" %}
{% block footer %}{% if answer %}<code>{{ answer.key }}</code>{{ answer.picture | safe }}{% endif %}{% endblock %}
"""


class KeyTakenError(AuthError):
    """Another key has this name."""

    status = 409
    code = "key_taken"
    default_detail = "There is a key with this name."
    fields = ("name",)


class Made(Record, frozen=True):
    key: str
    request: str
    serial: str = "s-1"
    picture: str = '<svg width="8" height="8"><path d="M0 0h8v8"/></svg>'


class Names(Record, frozen=True):
    names: list[str]


class Keys(Feature):
    """Keys of users."""

    pages = (Page(name="keys", endpoint="new_key", login=True, linked_from=("login",)),)
    forms = (
        Form(endpoint="new_key", page="keys", shows=True),
        Form(endpoint="name_key", page="keys", after="account", said="named", hidden=("serial", "request"),
             attributes={"name": {"autocomplete": "off"}}),
    )  # fmt: skip
    sections = (Section(name="keys", endpoint="names_of_keys", order=15, loads=True),)
    scripts = ("keys.js",)

    def __init__(self) -> None:
        self.names: list[str] = []

    @post("/keys")
    async def new_key(self, *, identity: Identity) -> Made:  # noqa: ARG002
        """Make a key."""
        return Made("<key>", "r" * 43)

    @post("/keys/name", status=204)
    async def name_key(
        self,
        *,
        name: Line,
        request: Line,
        code: Line,
        serial: Line,
        identity: Identity,  # noqa: ARG002
    ) -> None:
        """Name a key."""
        assert (serial, len(request), code) == ("s-1", 43, "1")
        if name in self.names:
            raise KeyTakenError
        self.names.append(name)

    @get("/keys/names")
    async def names_of_keys(self, *, identity: Identity) -> Names:  # noqa: ARG002
        """List the names."""
        return Names(self.names)


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """The folder of the feature."""
    for folder in ("texts", "templates/sections", "scripts"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "texts" / "en.toml").write_text(TEXTS)
    (tmp_path / "templates" / "keys.html").write_text(PAGE)
    (tmp_path / "templates" / "sections" / "keys.html").write_text(SECTION)
    (tmp_path / "scripts" / "keys.js").write_text("void 0;")
    return tmp_path


def kind_of(room: Path, **attributes: Any) -> type[Keys]:
    """The feature with its folder, and with other declarations."""
    return type("Keys", (Keys,), {"room": room, **attributes})


def surfer_of(*features: Feature, **settings: Any) -> Surfer:
    auth = make_auth(features=[*cheap(), *features, Pages()], **settings)
    return Surfer(AuthMiddleware(who, auth, mount="/auth"))


async def log_in(surfer: Surfer) -> None:
    page = await surfer.submit(await surfer.get("register"), "/register", email=EMAIL, password=PASSWORD)
    await surfer.submit(page, "/login", email=EMAIL, password=PASSWORD)


async def test_a_feature_brings_a_page_a_link_and_a_script(room: Path) -> None:
    surfer = surfer_of(kind_of(room)())

    login = await surfer.get("login")
    script = await surfer.get([item["src"] for tag, item in login.tags if tag == "script"][1])

    assert "/auth/keys" in login.links
    assert "Log in by a key" in login.text
    assert script.answer.body == b"void 0;"
    assert script.answer.header("content-type") == "text/javascript; charset=utf-8"
    assert "script-src 'self';" in str(login.answer.header("content-security-policy"))


async def test_a_page_for_users_leads_to_the_login_and_back(room: Path) -> None:
    surfer = surfer_of(kind_of(room)())

    asked = await surfer.get("keys")
    await surfer.submit(await surfer.get("register"), "/register", email=EMAIL, password=PASSWORD)
    back = await surfer.submit(asked, "/login", email=EMAIL, password=PASSWORD)

    assert asked.url == "/auth/login?next=keys&said=login_needed"
    assert (back.status, back.url) == (200, "/auth/keys")
    for other in ("login", "register", "nothing"):
        assert (await surfer.get(f"login?next={other}", follow=False)).url == "/"


async def test_an_answer_is_shown_once_and_the_next_form_goes_on_with_it(room: Path) -> None:
    surfer = surfer_of(kind_of(room)())
    await log_in(surfer)
    empty = await surfer.get("keys")

    shown = await surfer.submit(empty, "/keys")
    again = await surfer.get("keys")

    assert [form.action for form in empty.forms] == ["/auth/keys"]
    assert (shown.status, shown.answer.header("cache-control")) == (200, "no-store")
    assert "<key>" in shown.text
    assert ("svg", {"width": "8", "height": "8"}) in shown.tags
    hidden = {name: item["value"] for name, item in shown.form("/keys/name").inputs.items() if item["type"] == "hidden"}
    assert hidden == {"request": "r" * 43, "serial": "s-1"}
    assert "<key>" not in again.text


async def test_a_form_has_texts_of_its_own_and_its_error_beside_the_field(room: Path) -> None:
    surfer = surfer_of(kind_of(room)())
    await log_in(surfer)
    shown = await surfer.submit(await surfer.get("keys"), "/keys")

    done = await surfer.submit(shown, "/keys/name", name="Home", code="1")
    refused = await surfer.submit(shown, "/keys/name", name="Home", code="1")

    assert "Name of the key" in shown.text
    assert "What you call it." in shown.text
    assert shown.form("/keys/name").inputs["name"]["autocomplete"] == "off"
    assert done.url == "/auth/account?said=named"
    assert "It has a name." in done.text
    assert done.by_id("keys")[0] == "section"
    assert "Home" in done.text
    assert refused.status == 409
    assert refused.by_id("name_key-name")[1]["aria-invalid"] == "true"
    assert "There is a key with this name." in refused.text


async def test_sections_stand_in_their_order_and_the_host_replaces_one(room: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "host" / "sections"
    theirs.mkdir(parents=True)
    (theirs / "sessions.html").write_text('<section id="sessions">{{ data.sessions | length }} here</section>')
    surfer = surfer_of(kind_of(room)(), templates=str(theirs.parent))
    await log_in(surfer)

    account = await surfer.get("account")
    order = [item.get("id") or item["aria-labelledby"] for tag, item in account.tags if tag == "section"]

    assert order == ["profile", "keys", "change-password", "sessions", "export", "close-account"]
    assert "1 here" in account.text


async def test_what_has_no_endpoint_is_not_shown(room: Path) -> None:
    auth = make_auth(features=[*cheap(), kind_of(room)(), Pages()])
    app = AuthApp(auth, exclude=["new_key", "names_of_keys"])
    surfer = Surfer(AuthMiddleware(Starlette(routes=[Mount("/auth", app)]), auth))
    await log_in(surfer)

    account, page = await surfer.get("account"), await surfer.get("keys")

    assert 'id="keys"' not in account.answer.body.decode()
    assert page.status == 404


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"pages": (Page(name="login", endpoint="new_key"),)}, "two features have the same page: 'login'"),
        ({"forms": (Form(endpoint="login", page="keys"),)}, "Keys has no endpoint 'login' for its form"),
        ({"sections": (Section(name="keys", endpoint="new_key", loads=True),)}, "needs a GET, and 'new_key' is a POST"),
        ({"sections": (Section(name="none", endpoint="new_key"),)}, "no template sections/none.html"),
        ({"sections": (Section(name="profile", endpoint="new_key"),)}, "two features have the same section"),
        ({"pages": (Page(name="hall", endpoint="new_key"),)}, "pages lack the texts pages.hall.title"),
        ({"forms": (Form(endpoint="new_key", page="keys", said="made"),)}, "pages lack the texts pages.said.made"),
        ({"scripts": ("none.js",)}, "the script 'none.js' is missing"),
        ({"scripts": ("../keys.js",)}, "the script '../keys.js' is missing"),
        ({"pages": (Page(name="keys", endpoint="new_key", path="/login"),)}, "two pages have the same path"),
        ({"pages": (Page(name="keys", endpoint="new_key", path="/me"),)}, "a page and an endpoint at GET /me"),
    ],
)
def test_a_mistake_is_told_when_the_app_is_made(room: Path, attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        surfer_of(kind_of(room, **attributes)())


def test_texts_of_a_room_are_checked(room: Path) -> None:
    (room / "texts" / "de.toml").write_text('[pages.keys]\ntitle = "Ihre {was}"')
    with pytest.raises(ValueError, match=r"translations of the text 'pages\.keys\.title'"):
        surfer_of(kind_of(room)())
    (room / "texts" / "de.toml").write_text("nothing")
    with pytest.raises(ValueError, match=r"de\.toml: "):
        surfer_of(kind_of(room)())


def test_a_subclass_has_the_room_of_its_base(room: Path) -> None:
    base, further = kind_of(room), room / "further"

    class Inner(base):  # type: ignore[misc, valid-type]  # a class made at run time
        pass

    class Further(base):  # type: ignore[misc, valid-type]
        room = further

    assert Inner.rooms() == [room]
    assert Further.rooms() == [further, room]
