"""The query of a GET endpoint: its fields, read strictly, over HTTP, in process and in the document."""

from typing import Any, Literal

import pytest

from asgi_auth import AuthApp, RateLimits
from asgi_auth.errors import UnauthorizedError, ValidationError
from asgi_auth.feature import Feature, Identity, Line, Record, Served, get, post
from asgi_auth.openapi import Info, document
from asgi_auth.validation.fields import from_text
from tests.support import Client, make_auth, unlimited


class Found(Record, frozen=True, kw_only=True):
    """What was asked for."""

    text: str
    most: int
    share: float | None
    newest: bool
    order: str


class Things(Feature):
    """Lists things."""

    @get("/things")
    async def things(
        self,
        *,
        q: Line,
        most: int = 20,
        share: float | None = None,
        newest: bool = False,
        order: Literal["name", "age"] = "name",
    ) -> Found:
        """List things."""
        return Found(text=q, most=most, share=share, newest=newest, order=order)

    @get("/things/{id}")
    async def thing(self, *, id: Line, part: Line | None = None) -> list[str | None]:  # noqa: A002
        """Show a thing."""
        return [id, part]

    @get("/own")
    async def own(self, *, identity: Identity) -> None:
        """Show your things."""

    @get("/bare")
    async def bare(self) -> str:
        """Take no fields."""
        return "bare"

    @post("/things")
    async def add(self, *, q: Line = "") -> str:
        """Add a thing."""
        return q


def app(*more: Feature) -> AuthApp:
    return AuthApp(make_auth(features=[*unlimited(mail=False), Things(), *more]))


async def ask(path: str) -> tuple[int, Any]:
    answer = await Client(app()).get(path)
    return answer.status, answer.json


async def test_fields_of_get_come_from_the_query() -> None:
    asked = "/things?q=a+b%C3%A4&most=5&share=0.5&newest=true&order=age"

    assert await ask(asked) == (200, {"text": "a bä", "most": 5, "share": 0.5, "newest": True, "order": "age"})


async def test_text_that_looks_like_a_number_stays_text() -> None:
    assert (await ask("/things?q=5"))[1] == {"text": "5", "most": 20, "share": None, "newest": False, "order": "name"}
    assert (await ask("/things?q=true&share=2"))[1]["text"] == "true"


async def test_head_reads_the_query_as_well() -> None:
    client = Client(app())

    assert (await client.request("HEAD", "/things?q=a")).status == 200
    assert (await client.request("HEAD", "/things?q=a&x=1")).status == 422


@pytest.mark.parametrize(
    "query",
    ["q=a&q=b", "q=a&q=a", "q=%ff", "q=%C3", "q=%zz", "q=ä", "q", "=&=", "q=a&&most=1", "&".join(["q=a"] * 101)],
)
async def test_a_query_that_two_readers_could_read_differently_is_refused(query: str) -> None:
    status, problem = await ask(f"/things?{query}")

    assert (status, problem["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("q=a&colour=red", "colour"),
        ("most=5", "q"),
        ("q=a%00", "q"),
        ("q=" + "a" * 1025, "q"),
        *[(f"q=a&most={text}", "most") for text in ("", "x", "1.5", "0x5", "05", "%2B5", "1_0", "null", "%205")],
        *[(f"q=a&most={text}", "most") for text in (2**63, 10**40, "1e400", "1e30", "9" * 5000, "true")],
        *[(f"q=a&share={text}", "share") for text in ("NaN", "Infinity", "-inf", "1e999", "null")],
        *[(f"q=a&newest={text}", "newest") for text in ("1", "on", "True", "", "yes")],
        ("q=a&order=size", "order"),
    ],
)
async def test_a_wrong_or_unknown_parameter_is_named(query: str, wrong: str) -> None:
    status, problem = await ask(f"/things?{query}")

    assert (status, list(problem["errors"])) == (422, [wrong])


async def test_a_field_of_the_path_is_not_taken_from_the_query() -> None:
    assert await ask("/things/5?part=x") == (200, ["5", "x"])
    assert await ask("/things/5") == (200, ["5", None])
    assert (await ask("/things/5?id=6"))[0] == 422


@pytest.mark.parametrize("query", ["x=1", "x=1&x=2", "%ff", "_=1234"])
async def test_an_endpoint_without_fields_does_not_read_its_query(query: str) -> None:
    assert (await ask(f"/bare?{query}")) == (200, "bare")


async def test_the_query_of_a_post_is_not_read() -> None:
    answer = await Client(app()).post("/things?q=from-the-url", {"q": "from-the-body"})

    assert answer.json == "from-the-body"


async def test_a_refused_query_counts_for_the_limits_of_the_endpoint() -> None:
    client = Client(app(RateLimits({"things": "2/m/ip"})))

    assert [(await client.get("/things?q=%ff")).status for _ in range(3)] == [400, 400, 429]


async def test_in_process_the_values_have_their_types() -> None:
    async with make_auth(features=[*unlimited(mail=False), Things()]) as auth:
        found = await auth[Things].things(q="a", most=5)
        with pytest.raises(ValidationError):
            await auth[Things].things(q="a", most="5")  # type: ignore[arg-type]  # a text
        with pytest.raises(UnauthorizedError):
            await auth[Things].own()  # type: ignore[call-arg]  # without an identity

    assert found.most == 5


def test_the_document_has_the_parameters_of_the_query() -> None:
    served = app()
    found = document(served.auth, Served(served.routes, "/"), Info())["paths"]
    things = found["/things"]["get"]
    by_name = {item["name"]: item for item in things["parameters"]}

    assert "requestBody" not in things
    assert {name for name, item in by_name.items() if item["required"]} == {"q"}
    assert {item["in"] for item in by_name.values()} == {"query"}
    assert by_name["share"]["schema"] == {"type": "number"}
    assert by_name["order"]["schema"]["enum"] == ["age", "name"]
    assert by_name["q"]["schema"]["maxLength"] == 1024
    assert "422" in things["responses"]
    assert [(item["name"], item["in"]) for item in found["/things/{id}"]["get"]["parameters"]] == [
        ("id", "path"),
        ("part", "query"),
    ]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1", int, 1),
        ("1", int | None, 1),
        ("1", Literal[1], 1),
        ("-0.5e-3", float, -0.0005),
        ("1", str, "1"),
        ("1", str | None, "1"),
        ("1", Line, "1"),
        ("1", Literal["1"], "1"),
        ("1", int | str, "1"),
        ("1", Any, "1"),
    ],
)
def test_numbers_are_read_only_where_no_text_fits(text: str, kind: Any, value: Any) -> None:
    found = from_text(text, kind)

    assert (found, type(found)) == (value, type(value))
