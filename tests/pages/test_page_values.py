"""Pages with values in their URL: a list with filters, a page for each row, and the forms that lead back to it."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from asgi_auth import AuthMiddleware, Pages
from asgi_auth.errors import AuthError
from asgi_auth.feature import Feature, Form, Identity, Line, Page, Record, Section, Time, get, post
from tests.pages.surfer import Surfer
from tests.support import EMAIL, PASSWORD, Clock, cheap, make_auth, register, who

TEXTS = """
[pages]
members.title = "Members"
member.title = "A member"
member_diary.title = "Diary"
add_member.button = "Add"
add_member.title = "A new member"
change_member.button = "Change"
change_member.title = "Change the member"
drop_member.button = "Drop"
drop_member.title = "Drop the member"
link.members = "All members"
said.changed = "Changed."
"""
LIST = """{% extends "page.html" %}
{% block intro %}
<form action="{{ href("members") }}"><input name="search" aria-label="Search" value="{{ given.search }}"></form>
<ul>
{% for name in data.names %}
<li><a href="{{ href("member", id=name) }}">{{ name }}</a></li>
{% endfor %}
</ul>
<p>{{ given | tojson }}</p>
{% endblock %}
"""
MEMBER = """{% extends "page.html" %}
{% block intro %}
<p>{{ data.id }} has {{ data.tags | join(",") }}</p>
{% for section in sections %}
{% set data = section.data %}
{% include section.template +%}
{% endfor %}
{% endblock %}
"""
DIARY = "<section><h2>Diary</h2><p>{{ data.names | join }}</p></section>"


class UnknownMemberError(AuthError):
    """There is no such member."""

    status = 404
    code = "unknown_member"
    default_detail = "There is no such member."


class Names(Record, frozen=True):
    names: list[str]


class Member(Record, frozen=True):
    id: str
    tags: list[str]
    since: int
    active: bool = True


class Members(Feature):
    """A list of members."""

    permissions = ("members:change",)
    pages = (
        Page(name="members", endpoint="list_members", path="/club", login=True, loads=True, linked_from=("member",),
             query=("search", "limit")),
        Page(name="member", endpoint="one_member", path="/club/{id}", login=True, loads=True, query=("day", "at")),
    )  # fmt: skip
    forms = (
        Form(endpoint="add_member", page="members", after="member", said="changed", values={"active": "on"}),
        Form(endpoint="change_member", page="member", after="member", said="changed", filled=True),
        Form(endpoint="drop_member", page="member", after="members"),
    )
    sections = (Section(name="member_diary", page="member", endpoint="diary", loads=True),)

    def __init__(self) -> None:
        self.members = {name: Member(name, ["old"], 86400) for name in ("ada", "bob", "eve & co")}

    @get("/members")
    async def list_members(
        self,
        *,
        search: Line = "",
        limit: Annotated[int, msgspec.Meta(ge=1)] = 50,
        identity: Identity,  # noqa: ARG002
    ) -> Names:
        """List members."""
        return Names([name for name in self.members if name.startswith(search)][:limit])

    @get("/members/{id}", errors=(UnknownMemberError,))
    async def one_member(self, *, id: Line, identity: Identity) -> Member:  # noqa: A002, ARG002
        """Return a member."""
        if id not in self.members:
            raise UnknownMemberError
        return self.members[id]

    @get("/members/{id}/diary", permission="members:change", fresh=True)
    async def diary(
        self,
        *,
        id: Line,  # noqa: A002
        day: Line = "today",
        at: Time | None = None,
        identity: Identity,  # noqa: ARG002
    ) -> Names:
        """Return the diary of a member."""
        return Names([f"{id} slept {at or day}."])

    @post("/members", status=201)
    async def add_member(self, *, name: Line, active: bool = True, identity: Identity) -> Member:  # noqa: ARG002
        """Add a member."""
        return self.members.setdefault(name, Member(name, [], 0, active))

    @post("/members/{id}", permission="members:change", fresh=True)
    async def change_member(
        self,
        *,
        id: Line,  # noqa: A002
        tags: Annotated[list[str], msgspec.Meta(max_length=2)],
        since: Time | None = None,
        active: bool = False,
        identity: Identity,  # noqa: ARG002
    ) -> Member:
        """Change a member."""
        self.members[id] = Member(id, tags, since or 0, active)
        return self.members[id]

    @post("/members/{id}/drop", permission="members:change")
    async def drop_member(self, *, id: Line, identity: Identity) -> Names:  # noqa: A002, ARG002
        """Drop a member."""
        del self.members[id]
        return Names([])


def room(folder: Path) -> Path:
    (folder / "texts").mkdir()
    (folder / "texts" / "en.toml").write_text(TEXTS)
    (folder / "templates" / "sections").mkdir(parents=True)
    (folder / "templates" / "members.html").write_text(LIST)
    (folder / "templates" / "member.html").write_text(MEMBER)
    (folder / "templates" / "sections" / "member_diary.html").write_text(DIARY)
    return folder


@pytest.fixture
def kind(tmp_path: Path) -> type[Members]:
    return type("Members", (Members,), {"room": room(tmp_path)})


async def visit(feature: Feature, clock: Clock, *roles: str) -> Surfer:
    """Log in as a user with roles."""
    permissions = {"secretary": ["members:change"]}
    auth = make_auth(features=[*cheap(), feature, Pages()], clock=clock, permissions=permissions)
    await auth.users.set_roles(await register(auth), roles)
    surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
    await surfer.submit(await surfer.get("login"), "/login", email=EMAIL, password=PASSWORD)
    return surfer


async def test_a_list_reads_its_filters_from_the_url(kind: type[Members], clock: Clock) -> None:
    surfer = await visit(kind(), clock)

    everything = await surfer.get("club")
    found = await surfer.get("club?search=b&utm_source=x&limit=")
    first = await surfer.get("club?limit=1&search=&search=")
    two = await surfer.get("club?limit=1&search=a&search=b")
    wrong = await surfer.get("club?limit=none")

    assert [link for link in everything.links if "club/" in link] == [
        "/auth/club/ada", "/auth/club/bob", "/auth/club/eve%20%26%20co"
    ]  # fmt: skip
    assert [link for link in found.links if "club/" in link] == ["/auth/club/bob"]
    assert found.forms[0].inputs["search"]["value"] == "b"
    assert [link for link in first.links if "club/" in link] == ["/auth/club/ada"]
    # What the list would be filtered by is not known.
    assert two.status == 400
    assert wrong.status == 422


async def test_a_page_of_a_row_leads_to_the_login_and_back(kind: type[Members], clock: Clock) -> None:
    surfer = await visit(kind(), clock)
    surfer.client.cookies.clear()

    asked = await surfer.get("club/eve%20%26%20co?day=monday")
    back = await surfer.submit(asked, "/login", email=EMAIL, password=PASSWORD)

    assert asked.url.startswith("/auth/login?next=member%3F")
    assert (back.status, back.url) == (200, "/auth/club/eve%20%26%20co?day=monday")
    assert "eve & co has old" in back.text
    assert "/auth/club" in back.links


async def test_of_what_needs_a_permission_nothing_is_shown_without_it(kind: type[Members], clock: Clock) -> None:
    member = await (await visit(kind(), clock)).get("club/ada")
    secretary = await (await visit(kind(), clock, "secretary")).get("club/ada?day=monday")

    assert (member.forms, "Diary" in member.text) == ([], False)
    assert [form.action for form in secretary.forms] == ["/auth/members/ada", "/auth/members/ada/drop"]
    assert "ada slept monday." in secretary.text


async def test_a_time_in_the_url_is_that_of_an_input_or_seconds(kind: type[Members], clock: Clock) -> None:
    surfer = await visit(kind(), clock, "secretary")

    for text in ("2026-05-01T12:30", "1777638600"):
        assert "ada slept 1777638600." in (await surfer.get(f"club/ada?at={text}")).text
    assert (await surfer.get("club/ada?at=noon")).status == 422


async def test_a_form_of_a_row_shows_what_is_stored_and_leads_back(kind: type[Members], clock: Clock) -> None:
    feature = kind()
    surfer = await visit(feature, clock, "secretary")
    page = await surfer.get("club/ada")
    form = page.form("/members/ada")

    assert form.values == {"tags": "old", "since": "1970-01-02T00:00:00", "active": "on"}
    assert form.inputs["since"]["type"] == "datetime-local"
    done = await surfer.submit(page, "/members/ada", tags=" a \r\n\r\nb", since="2026-05-01T12:30")
    assert (done.url, "Changed." in done.text) == ("/auth/club/ada?said=changed", True)
    assert feature.members["ada"] == Member("ada", ["a", "b"], 1777638600)
    refused = await surfer.submit(done, "/members/ada", tags="a\nb\nc", since="soon")
    assert (refused.status, refused.form("/members/ada").values["since"]) == (422, "soon")
    assert "ada has a,b" in refused.text
    await surfer.submit(done, "/members/ada", tags="", since="")
    assert feature.members["ada"] == Member("ada", [], 0)
    gone = await surfer.submit(done, "/drop")
    assert gone.url == "/auth/club"
    assert (await surfer.get("club/ada")).status == 404


async def test_a_new_row_has_a_page_and_boxes_are_checked_at_first(kind: type[Members], clock: Clock) -> None:
    feature = kind()
    surfer = await visit(feature, clock)

    made = await surfer.submit(await surfer.get("club"), "/members", name="Zoë/1?")
    await surfer.post("/auth/members", {"name": "quiet"})

    assert made.url == "/auth/club/Zo%C3%AB%2F1%3F?said=changed"
    assert [feature.members[name].active for name in ("Zoë/1?", "quiet")] == [True, False]


async def test_what_needs_a_fresh_login_says_so_and_leads_back(kind: type[Members], clock: Clock) -> None:
    surfer = await visit(kind(), clock, "secretary")
    fresh = await surfer.get("club/ada?day=monday")
    clock.move(700)

    page = await surfer.get("club/ada?day=monday")
    by_link = await surfer.get(next(link for link in page.links if "/reauthenticate?" in link))
    by_form = await surfer.submit(page, "/members/ada", tags="new")

    assert "slept" in fresh.text
    assert "slept" not in page.text
    assert "Diary" in page.text
    seen = await surfer.submit(by_link, "/reauthenticate/password", password=PASSWORD)
    assert (seen.url, "ada slept monday." in seen.text) == ("/auth/club/ada?day=monday", True)
    back = await surfer.submit(by_form, "/reauthenticate/password", password=PASSWORD)
    assert (back.status, back.form("/members/ada").values["tags"]) == (200, "new")
    assert "ada has old" in back.text
    assert "ada slept today." in back.text
    changed = await surfer.submit(back, "/members/ada")
    assert (changed.url.partition("?")[0], "ada has new" in changed.text) == ("/auth/club/ada", True)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"pages": (Page(name="members", endpoint="list_members", path="/club", query=("color",)),)}, "no field color"),
        ({"pages": (Page(name="member", endpoint="one_member", path="/club/{key}"),), "forms": ()}, "no field key"),
        ({"forms": (Form(endpoint="add_member", page="member"),)}, "'add_member' lacks a value in the path"),
        ({"pages": (Page(name="member", endpoint="one_member"),)}, "a page and an endpoint at GET /members/{id}"),
    ],
)
def test_a_mistake_is_told_when_the_app_is_made(kind: type[Members], attributes: dict[str, Any], message: str) -> None:
    auth = make_auth(features=[*cheap(), type("Members", (kind,), {"room": None, **attributes})(), Pages()])
    with pytest.raises(ValueError, match=message):
        AuthMiddleware(who, auth, mount="/auth")


async def test_the_path_of_a_page_of_rows_allows_get(kind: type[Members], clock: Clock) -> None:
    surfer = await visit(kind(), clock)

    answer = await surfer.client.request("POST", "/auth/club/ada")
    missing = await surfer.get("club/ada/more")

    assert (answer.status, answer.header("allow")) == (405, "GET, HEAD, OPTIONS")
    assert missing.status == 404
