"""The calls of a stranger: every endpoint and page of the app, with values of all kinds in its fields.

Values that differ between the installations (a `request`, a mailed token, a login) are drawn as references. A field
without a generator is an error: a new endpoint must be covered.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from asgi_auth import AuthApp
from asgi_auth.feature.endpoint import Endpoint
from tests.security.concealment.installation import EVE, MALLORY, MALLORYS, OWNERS, Form, Installation
from tests.support import EMAIL, ORIGIN, PASSWORD

NETWORKS = ("203.0.113.66", "203.0.113.66", "203.0.113.67", "2001:db8:1:2::3", None)
GARBAGE = "A" * 43 + "." + "A" * 43


@dataclass(frozen=True)
class Reference:
    """A value that each installation has given to the stranger: the `number`th of a `kind`, from the end."""

    kind: str
    number: int = 0

    def of(self, installation: Installation) -> str:
        if self.kind == "refresh":
            return installation.tokens.get("refresh_token", GARBAGE)
        if self.kind == "request":
            return str(_at(installation.requests, self.number))
        mail = _at(installation.outbox.mails, self.number)
        return str(getattr(mail, self.kind)) or GARBAGE if mail else GARBAGE


def _at(values: list[Any], number: int) -> Any:
    return values[-1 - number % len(values)] if values else ""


def some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def references(*kinds: str) -> list[Reference]:
    return [Reference(kind, number) for kind in kinds for number in (0, 0, 1, 2)]


OTHERS = (EVE, MALLORY, "not an address", "")
ADDRESS = some(*[EMAIL] * 8, EMAIL.upper(), *OTHERS)
#: Names of accounts: a registration, which tells that a name is taken, gives none of them.
NAME = some(*[OWNERS] * 4, OWNERS.upper(), MALLORYS, "nobody", "\uff21da", "a", "")
WORD = some(PASSWORD, PASSWORD, "a wrong password", "another wrong one", "", "short")
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "email": ADDRESS,
    "username": ADDRESS,
    "new_email": some(*[EMAIL] * 4, EVE, MALLORY, "x"),
    "password": WORD,
    "current_password": WORD,
    "new_password": some("another battery staple", PASSWORD, "short"),
    "token": some(*references("token"), GARBAGE, "x", ""),
    "request": some(*references("request", "request"), "made up", ""),
    "code": some(*references("code"), "00000000", "1234 5678", "12345", ""),
    "refresh_token": some(Reference("refresh"), GARBAGE, "x"),
    "grant_type": some("password", "password", "refresh_token", "implicit"),
    "id": some("x", "01a00000-0000-7000-8000-000000000000"),
}
#: The same, of a stranger who knows the account by its username. A client that knows the address as well may learn that
#: the two belong together, because they share their limits.
BY_NAME = FIELDS | {"email": some(*OTHERS), "new_email": some(*OTHERS), "username": NAME}


@dataclass(frozen=True)
class Call:
    """A call: who makes it, from where, and by which transport."""

    method: str
    path: str
    values: dict[str, Any] = field(default_factory=dict)
    client: str | None = NETWORKS[0]
    transport: str = "bearer"
    login: bool = False
    language: str = "en"

    def headers(self, installation: Installation) -> list[tuple[str, str]]:
        found = [("accept-language", self.language), ("user-agent", "Mozilla/5.0 (X11; Linux) Firefox/130.0")]
        if self.transport == "bearer":
            if self.login and "access_token" in installation.tokens:
                found.append(("authorization", f"Bearer {installation.tokens['access_token']}"))
            return found
        found += [("origin", ORIGIN), ("sec-fetch-site", "same-origin"), ("auth-transport", "cookie")]
        if self.transport == "form":
            found.append(("accept", "text/html"))
        if self.login and installation.cookies:
            found.append(("cookie", "; ".join(f"{name}={value}" for name, value in installation.cookies.items())))
        return found

    def body(self, installation: Installation) -> Any:
        found = {
            name: value.of(installation) if isinstance(value, Reference) else value
            for name, value in self.values.items()
            if f"{{{name}}}" not in self.path
        }
        if self.method in {"GET", "HEAD"}:
            return None
        return Form(found) if self.transport == "form" or self.path == "/token" else found

    def sent(self, installation: Installation) -> dict[str, str]:
        """The values of references, by kind, as far as they can be in an answer."""
        found = {value.kind: value.of(installation) for value in self.values.values() if isinstance(value, Reference)}
        return {kind: text for kind, text in found.items() if kind != "request" and len(text) >= 8}

    def url(self, installation: Installation) -> str:
        path = self.path
        for name, value in self.values.items():
            path = path.replace(f"{{{name}}}", str(value))
        if self.method == "GET" and self.transport == "form":
            request = Reference("request").of(installation)
            return f"{path}?request={request}" if request else path
        return path


def endpoints_of(app: AuthApp) -> list[tuple[str, Endpoint]]:
    """Every endpoint with its path, and how often those are drawn by which a stranger can ask about an address."""
    found = [(path, route.endpoint) for path, route in app.routes]
    if missing := {name for _, endpoint in found for name in endpoint.fields} - FIELDS.keys():
        raise AssertionError(f"no values for the fields {missing}: add them to FIELDS")
    public = [pair for pair in found if not pair[1].needs_login]
    return [*found, *public, *[pair for pair in public if "email" in pair[1].fields] * 3]


@st.composite
def calls(draw: st.DrawFn, endpoints: list[tuple[str, Endpoint]], pages: list[str], *, by_name: bool) -> Call:
    """A call of an endpoint by JSON or by a form, or a look at a page."""
    fields = BY_NAME if by_name else FIELDS
    shared = {"client": draw(st.sampled_from(NETWORKS)), "login": draw(some(False, False, True))}
    shared["language"] = draw(some("en", "de"))
    if draw(st.integers(0, 9)) == 0:
        return Call("GET", draw(st.sampled_from(pages)), {}, transport="form", **shared)
    path, endpoint = draw(st.sampled_from(endpoints))
    values = {}
    for name, declared in endpoint.fields.items():
        if declared.required or draw(some(True, True, False)):
            values[name] = draw(fields[name])
    if by_name and endpoint.names == "email":
        values.pop("email", None)
        values["username"] = draw(NAME)
    return Call(endpoint.method, path, values, transport=draw(some("bearer", "bearer", "cookie", "form")), **shared)
