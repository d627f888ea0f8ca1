"""The OpenAPI document: valid, complete, from the declarations alone, and served as what caches can keep."""

from typing import Any, ClassVar

import pytest
from openapi_spec_validator import validate

import asgi_auth.errors
from asgi_auth import Argon2, Auth, AuthApp, AuthError, AuthMiddleware, OpenAPI, Passwords, Sessions
from asgi_auth.errors import ForbiddenError
from asgi_auth.feature import Endpoint, Feature, post
from asgi_auth.model.records import Record
from asgi_auth.sessions.identity import Identity
from asgi_auth.validation.fields import Line
from tests.openapi.everything import everything
from tests.openapi.support import operation, resolve
from tests.support import SECRET, Client, call, http_scope, login, make_auth, register, unlimited, who

PATH = "/auth/openapi.json"


def documented(**settings: Any) -> Auth:
    return make_auth(features=[Passwords(argon2=Argon2.cheap()), *unlimited(mail=False), OpenAPI()], **settings)


async def document_of(auth: Auth, **options: Any) -> Any:
    app = AuthMiddleware(who, AuthApp(auth, **options), mount="/auth")
    async with auth:
        answer = await Client(app).get(PATH)
    assert answer.status == 200
    return answer.json


class Greeting(Record, frozen=True):
    """What is said."""

    text: str


class RudeError(ForbiddenError):
    """Who isn't greeted."""

    code = "rude"
    default_detail = "No."


class TiredError(AuthError):
    """Too many greetings."""

    status = 429
    code = "tired"
    default_detail = "Later."
    header_meanings: ClassVar = {"Retry-After": "Seconds to wait."}


class Greetings(Feature):
    """Greets."""

    @post("/greetings/{id}", status=203, errors=(RudeError,))
    async def greet(self, *, id: Line, name: Line, loudly: bool = False, identity: Identity) -> Greeting:  # noqa: A002
        """Greet a user."""
        if loudly:
            raise RudeError
        return Greeting(f"{identity.id} greets {name} of {id}")

    def errors_at(self, endpoint: Endpoint) -> tuple[type[AuthError], ...]:
        return (TiredError,) if endpoint.name in {"greet", "login"} else ()


@pytest.mark.parametrize("transport", ["bearer", "cookie"])
async def test_the_document_of_everything_is_valid(transport: str) -> None:
    document = await document_of(everything(None, Greetings(), transport=transport))

    validate(document)
    assert document["openapi"].startswith("3.1.")


async def test_every_endpoint_is_in_it_with_all_that_a_reader_wants() -> None:
    auth = everything()
    document = await document_of(auth)

    for path, route in AuthApp(auth).routes:
        found = document["paths"][path][route.endpoint.method.lower()]
        assert found["operationId"] == route.endpoint.name
        assert found["summary"].endswith(".")
        assert found["tags"] == [type(route.feature).__name__]
        assert {"400", "405", "500", "503"} < found["responses"].keys()
        assert all(resolve(document, item)["description"] for item in found["responses"].values())
    assert {tag["name"] for tag in document["tags"]} == {
        tag for item in document["paths"].values() for found in item.values() for tag in found["tags"]
    }


async def test_a_new_feature_is_described_by_its_declarations() -> None:
    document = await document_of(make_auth(features=[Passwords(), Sessions(), OpenAPI(), Greetings()]))
    found = operation(document, "POST", "/greetings/7")

    assert found is not None
    assert [(item["name"], item["in"]) for item in found["parameters"]] == [("id", "path")]
    body = resolve(document, found["requestBody"]["content"]["application/json"]["schema"])
    assert (body["required"], body["properties"].keys()) == (["name"], {"name", "loudly"})
    assert body["additionalProperties"] is False
    assert resolve(document, found["responses"]["203"]["content"]["application/json"]["schema"])["required"] == ["text"]
    assert codes(document, found, "403") == {"rude", "cross_site_request"}
    assert codes(document, found, "404") == {"not_found"}
    assert codes(document, found, "429") == {"tired"}
    assert resolve(document, found["responses"]["429"])["headers"]["Retry-After"]["required"]
    assert {"bearer": []} in found["security"]
    assert {} not in found["security"]
    assert {"name": "Greetings", "description": "Greets."} in document["tags"]
    assert "429" in document["paths"]["/login"]["post"]["responses"]
    assert "429" not in document["paths"]["/logout"]["post"]["responses"]


def codes(document: Any, found: Any, status: str) -> set[str]:
    content = resolve(document, found["responses"][status])["content"]["application/problem+json"]
    assert content["examples"].keys() == set(content["schema"]["properties"]["code"]["enum"])
    return set(content["schema"]["properties"]["code"]["enum"])


async def test_fields_have_the_bounds_that_are_checked() -> None:
    document = await document_of(everything())
    body = document["components"]["schemas"]["RegisterRequest"]
    email = body["properties"]["email"]

    assert body["required"] == ["email", "password", "company"]
    assert (email["format"], email["minLength"], email["maxLength"]) == ("email", 3, 254)
    assert body["properties"]["password"]["writeOnly"]
    assert body["properties"]["company"]["maxLength"] == 80
    # Null for an optional field is "not given".
    kinds = [body["properties"][name]["type"] for name in ("company", "age", "height", "news")]
    assert kinds == ["string", ["integer", "null"], ["number", "null"], ["boolean", "null"]]
    assert "company" not in document["components"]["schemas"]["UpdateMeRequest"]["required"]


async def test_the_token_endpoint_is_described_in_its_own_form() -> None:
    document = await document_of(everything())
    found = document["paths"]["/token"]["post"]
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["password"]

    assert list(found["requestBody"]["content"]) == ["application/x-www-form-urlencoded"]
    names = found["responses"]["400"]["content"]["application/json"]["schema"]["properties"]["error"]["enum"]
    assert {"invalid_request", "invalid_grant", "unsupported_grant_type"} <= set(names)
    assert {"401", "403", "422"} & found["responses"].keys() == set()
    assert flow["tokenUrl"] == "https://app.example.com/auth/token"


@pytest.mark.parametrize(("development", "name"), [(False, "__Host-mine"), (True, "mine")])
async def test_the_ways_to_log_in_are_those_of_the_settings(development: bool, name: str) -> None:  # noqa: FBT001
    url = "http://localhost" if development else "https://app.example.com"
    document = await document_of(documented(cookie_name="mine", development=development, base_url=url))

    assert document["components"]["securitySchemes"]["cookie"]["name"] == name
    assert document["paths"]["/me"]["get"]["security"] == [{"bearer": []}, {"cookie": []}, {"oauth2": []}]
    assert document["paths"]["/logout"]["post"]["security"][0] == {}
    assert document["paths"]["/login"]["post"]["security"] == []


async def test_without_a_token_endpoint_there_is_no_oauth_2() -> None:
    document = await document_of(documented(), exclude=("token",))

    assert document["components"]["securitySchemes"].keys() == {"bearer", "cookie"}
    assert {"oauth2": []} not in document["paths"]["/me"]["get"]["security"]
    assert "/token" not in document["paths"]


async def test_it_shows_what_the_app_serves_and_where() -> None:
    document = await document_of(documented(mount="/auth"), include=("me", "openapi"), paths={"me": "/whoami"})

    assert set(document["paths"]) == {"/whoami", "/openapi.json"}
    assert document["servers"] == [{"url": "https://app.example.com/auth"}]


@pytest.mark.parametrize(
    ("root_path", "path", "url"),
    [
        ("", "/openapi.json", "/"),
        ("", "/auth/openapi.json", "/auth"),
        ("/auth", "/auth/openapi.json", "/auth"),
        ("/v1", "/auth/openapi.json", "/v1/auth"),
        ("/v1/auth", "/auth/openapi.json", "/v1/auth"),
        ("/v1/auth", "/v1/auth/openapi.json", "/v1/auth"),
        ("/v1", "/v1/auth/openapi.json", "/v1/auth"),
        ("", "/a b/openapi.json", "/a%20b"),
    ],
)
async def test_without_a_base_url_the_server_is_the_path_of_the_mount(root_path: str, path: str, url: str) -> None:
    auth = documented(base_url=None)
    async with auth:
        served = AuthApp(auth)
        scope = http_scope("GET", path, root_path=root_path)

        async def mounted(scope: Any, receive: Any, send: Any) -> None:
            await served.serve("/openapi.json", scope, receive, send)

        answer = await call(mounted, scope)

    assert answer.json["servers"] == [{"url": url}]
    assert answer.json["components"]["securitySchemes"]["oauth2"]["flows"]["password"]["tokenUrl"] in {
        f"{url}/token",
        f"{url}token",
    }


async def test_caches_may_keep_it_and_ask_again() -> None:
    auth = documented()
    client = Client(AuthMiddleware(who, auth, mount="/auth"))
    async with auth:
        first = await client.get(PATH)
        etag = first.header("etag") or ""
        again = [
            await client.get(PATH, headers={"if-none-match": value})
            for value in (etag, f"W/{etag}", f'"x", {etag}', "*", '"x"')
        ]

    assert first.all("cache-control") == ["no-cache"]
    assert [answer.status for answer in again] == [304, 304, 304, 304, 200]
    assert (again[0].body, again[0].header("etag"), again[0].header("content-type")) == (b"", etag, None)


async def test_an_answer_that_renews_cookies_is_kept_by_no_one() -> None:
    auth = documented()
    async with auth:
        await register(auth)
        pair = await login(auth)
        cookie = {"cookie": f"__Host-auth-refresh={pair.refresh_token}"}
        answer = await Client(AuthApp(auth)).get("/openapi.json", headers=cookie)

    assert answer.all("set-cookie") != []
    assert answer.all("cache-control") == ["no-store"]


async def test_a_hook_of_the_hosts_may_forbid() -> None:
    auth = documented()
    auth.before("login", lambda _: None)
    paths = (await document_of(auth))["paths"]

    assert "forbidden" in paths["/login"]["post"]["responses"]["403"]["content"]["application/problem+json"]["examples"]


async def test_it_is_served_only_where_it_is_asked_for() -> None:
    auth = documented()
    async with auth:
        excluded = await Client(AuthApp(auth, exclude=("openapi",))).get("/openapi.json")
    default = Auth("sqlite://", secret=SECRET)
    async with default:
        unasked = await Client(AuthApp(default)).get("/openapi.json")

    assert (excluded.status, unasked.status) == (404, 404)


async def test_it_is_made_in_process_too() -> None:
    auth = make_auth(features=[Passwords(), Sessions(), OpenAPI(title="Mine", version="7", description="Yes.")])

    async with auth:
        document = await auth[OpenAPI].openapi()

    validate(document)
    assert document["info"] == {"title": "Mine", "version": "7", "description": "Yes."}
    assert document["servers"] == [{"url": "https://app.example.com/auth"}]


async def test_it_shows_no_secret_and_no_version_of_ours() -> None:
    auth = everything()
    async with auth:
        text = (await Client(AuthApp(auth)).get("/openapi.json")).body.decode()

    assert SECRET not in text
    assert "sqlite" not in text.lower()
    assert asgi_auth.__version__ not in text


@pytest.mark.parametrize(
    "kind", [kind for kind in vars(asgi_auth.errors).values() if isinstance(kind, type) and issubclass(kind, AuthError)]
)
def test_the_headers_of_errors_are_explained(kind: type[AuthError]) -> None:
    error = kind.example()

    assert {name for name, _ in error.headers} == {name.lower() for name in kind.header_meanings}
