"""The documentation's tables, made from the code: `python -m tests.documentation` writes them, a test compares."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from asgi_auth import (
    OIDC,
    Admin,
    Auth,
    AuthApp,
    AuthorizationServer,
    BrowserClient,
    Issuer,
    MagicLink,
    OpenAPI,
    Outbox,
    Pages,
    Passkeys,
    RecoveryCodes,
    Resource,
    Revocation,
    SecondFactors,
    ServerMetadata,
    Settings,
    Totp,
    TrustedDevices,
    Usernames,
    google,
)
from asgi_auth.crypto.key_rotation import new_key
from asgi_auth.errors import AuthError
from asgi_auth.feature import Endpoint, Feature
from asgi_auth.features.defaults import defaults
from asgi_auth.features.rate_limits import BEHIND_LOGIN, GUESSES
from asgi_auth.model import event_types as events
from asgi_auth.runtime.library import endpoints_of_library
from asgi_auth.texts import about, purposes, shipped
from tests import llms
from tests.command_tables import commands
from tests.markdown import table
from tests.shape_tables import objects, responses
from tests.support import ORIGIN, make_auth

DOCS = Path(__file__).parent.parent / "docs"
MARK = "<!-- table: {} -->\n"
PICTURES = "../images/pages"
END = "<!-- end -->"


def tables() -> dict[str, str]:
    """Return every table by its name, which is also the name of its page in `docs/reference`."""
    return {
        "endpoints": endpoints(),
        "pages": pages(),
        "settings": settings(),
        "limits": limits(),
        "errors": error_codes(),
        "events": event_names(),
        "mails": mails(),
        "command-line": commands(),
        "responses": responses(AuthApp(described(OpenAPI()))),
        "objects": objects(),
        "languages": languages(),
    }


def endpoints() -> str:
    """Return a heading and a table for each feature: method, path, fields, caller and summary of its endpoints."""
    rows: dict[str, list[list[str]]] = {}
    for path, route in AuthApp(described(OpenAPI())).routes:
        names = [name for name in route.endpoint.fields if f"{{{name}}}" not in path]
        optional = {name for name, field in route.endpoint.fields.items() if not field.required}
        shown = [f"`{name}`{'?' if name in optional else ''}" for name in names]
        shown += ["your extra fields"] if route.endpoint.takes_data else []
        permission = route.endpoint.permission
        caller = f"`{permission}`" if permission else "the user" if route.endpoint.needs_login else "anyone"
        called = f"`{route.endpoint.method} {path}`"
        rows.setdefault(type(route.feature).__name__, []).append(
            [called, ", ".join(shown), caller, route.endpoint.summary]
        )
    head = ["endpoint", "fields", "caller", "description"]
    return "\n\n".join(f"### {feature}\n\n{table(head, theirs)}" for feature, theirs in rows.items())


def picture_of(path: str) -> str:
    """Return the name of the screenshot of a page."""
    return path[1:].translate(str.maketrans("/", "-", "{}"))


def pages() -> str:
    """Return path, forms and screenshot of each page."""
    app = AuthApp(described(Pages(), mailer=Outbox()))
    assert app.pages is not None
    plan, rows = app.pages.plan, []
    for name, path in plan.paths.items():
        posts = ", ".join(f"`{form.endpoint}`" for form in plan.forms_of(plan.pages[name]))
        picture = f"[screenshot]({PICTURES}/{picture_of(path)}.png)"
        rows.append([f"`{path}`", f"`{plan.pages[name].endpoint}`", posts, picture])
    return table(["page", "exists with", "forms", "screenshot"], rows)


def described(*more: Feature, **options: Any) -> Auth:
    """Return an `Auth` with all features, and more."""
    pages = [] if any(isinstance(item, Pages) for item in more) else [Pages()]
    features = [*every_feature(), *pages, *more]
    return make_auth(features=features, issuer=f"{ORIGIN}/auth", signing_keys=[new_key()], **options)


def every_feature() -> list[Feature]:
    """Return all features that serve users, including those that are off by default."""
    return [
        *defaults(mail=True),
        MagicLink(),
        SecondFactors(),
        Totp(),
        RecoveryCodes(),
        TrustedDevices(),
        Passkeys(sign_up=True),
        Usernames(),
        BrowserClient(),
        OIDC([google("app", "a secret of a client")]),
        Admin(),
        Revocation(),
        ServerMetadata(),
        Issuer({}),
        AuthorizationServer({"/notes": Resource("Notes", {"notes:read": "Read your notes"})}),
    ]


def every_endpoint() -> list[Endpoint]:
    """Return all endpoints, including those that are off by default."""
    return [endpoint for feature in (*every_feature(), OpenAPI()) for endpoint in feature.endpoints]


def settings() -> str:
    """Return name, default and meaning of each setting."""
    rows = []
    meanings = dict(attribute_docs(Settings))
    for item in fields(Settings):
        value = item.default if item.default_factory is MISSING else item.default_factory()
        default = "required" if item.name == "secret" else f"`{value!r}`"
        rows.append([f"`{item.name}`", default, meanings[item.name]])
    return table(["setting", "default", "meaning"], rows)


def limits() -> str:
    """Return the default rate limits; endpoints with the same rules share a row."""
    declared: dict[str, list[str]] = {GUESSES: []}
    for endpoint in sorted(endpoints_of_library(), key=lambda item: item.name):
        if endpoint.guesses:
            declared[GUESSES].append(f"`{endpoint.name}`")
        elif endpoint.rules:
            declared.setdefault(", ".join(map(str, endpoint.rules)), []).append(f"`{endpoint.name}`")
    rows = []
    for rules, names in sorted(declared.items(), key=lambda item: -len(item[1])):
        shared = " (one shared counter)" if rules == GUESSES else ""
        rows.append([", ".join(names) + shared, f"`{rules}`"])
    rows.append(["all others behind a login (in memory, per process)", f"`{BEHIND_LOGIN}`"])
    return table(["endpoints", "limits"], rows)


def error_codes() -> str:
    """Return status, code and meaning of each error."""
    rows = [[str(kind.status), f"`{kind.code}`", first_line(kind)] for kind in below(AuthError)]
    return table(["status", "code", "meaning"], sorted(rows))


def below(kind: type[AuthError]) -> Iterator[type[AuthError]]:
    """Yield all subclasses of an error that the library defines."""
    for inner in kind.__subclasses__():
        if inner.__module__.startswith("asgi_auth."):
            yield inner
            yield from below(inner)


def event_names() -> str:
    """Return the events with their meanings and codes, those of features last."""
    of_features = {name: action for feature in every_feature() for name, action in feature.actions.items()}
    rows = [
        [
            f"`{name}`",
            action.meaning,
            f"`{action.success}`" if action.success else "",
            f"`{action.failure}`" if action.failure else "",
        ]
        for name, action in {**events.ACTIONS, **of_features}.items()
    ]
    return table(["event", "meaning", "code of success", "code of failure"], rows)


def attribute_docs(kind: type[Any]) -> Iterator[tuple[str, str]]:
    """Yield the attributes of a class with the docstrings below them."""
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    for item, follower in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and isinstance(follower, ast.Expr):
            assert isinstance(follower.value, ast.Constant)
            yield item.target.id, str(follower.value.value)


def first_line(kind: type[Any]) -> str:
    """Return the first line of a docstring."""
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def mails() -> str:
    """Return purpose, feature and English subject of each mail."""
    features = every_feature()
    rows = []
    for purpose in sorted(purposes()):
        senders = ", ".join(f"`{type(feature).__name__}`" for feature in features if purpose in feature.mails)
        rows.append([f"`{purpose}`", senders, shipped()["en"][f"mail.{purpose}.subject"]])
    return table(["purpose", "feature", "subject in English"], rows)


def languages() -> str:
    """Return each shipped language: its name, how many texts it lacks, and who has read them."""
    english, rows = shipped()["en"].keys(), []
    for language in sorted(shipped(), key=lambda name: (not about(name)["signed_by"], name != "en", name)):
        lacking = len(english - shipped()[language].keys())
        signed_by = about(language)["signed_by"]
        state = f"read by {signed_by}" if signed_by else "made by a machine; no person has signed it yet"
        texts = f"all but {lacking}" if lacking else "all"
        rows.append([f"`{language}`", about(language)["name"], texts, state])
    return table(["language", "name", "texts", "state"], rows)


def page_of(name: str) -> Path:
    """Return the page of a table."""
    return DOCS / ("architecture.md" if name == "ways" else f"reference/{name}.md")


def with_table(name: str, content: str) -> str:
    """Return the text of a table's page with the table of the current code."""
    begin = MARK.format(name)
    before, found, rest = page_of(name).read_text("utf-8").partition(begin)
    _, ended, after = rest.partition(END)
    assert found, f"{page_of(name)} has no place for its table"
    assert ended, f"the place for the table of {page_of(name)} has no end"
    return f"{before}{begin}{content}\n{END}{after}"


if __name__ == "__main__":
    from tests.ways import ways_table

    for name, content in {**tables(), "ways": ways_table()}.items():
        page_of(name).write_text(with_table(name, content), "utf-8")
    llms.FILE.write_text(llms.llms(), "utf-8")
