"""A browser of few words: it keeps cookies, reads forms and links from HTML, and follows redirects."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from starlette.types import ASGIApp

from tests.support import ORIGIN, Answer, Client

VISITOR = {
    "accept": "text/html,application/xhtml+xml",
    "sec-fetch-site": "same-origin",
    "origin": ORIGIN,
}
VOID = {"input", "meta", "link", "img", "wbr"}


@dataclass
class Form:
    """A form: where it posts to, and its inputs with all their attributes, by name; `type` names other elements."""

    action: str
    inputs: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, str]:
        checked = {name: item for name, item in self.inputs.items() if item.get("type") != "checkbox"}
        return {name: item.get("value", "") for name, item in checked.items()} | {
            name: "on" for name, item in self.inputs.items() if item.get("type") == "checkbox" and "checked" in item
        }


class Page(HTMLParser):
    """A page that was read: its forms, links, elements by id, and its text. Broken nesting is an error."""

    def __init__(self, answer: Answer, url: str) -> None:
        super().__init__()
        self.answer = answer
        self.status = answer.status
        self.url = url
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        if (answer.header("content-type") or "").startswith("text/html"):
            self.feed(answer.body.decode())
            assert self._open == [], f"left open: {self._open}"

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        assert len(attributes) == len(attrs), f"doubled attribute in {tag}"
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "form":
            self.forms.append(Form(urljoin(self.url, attributes["action"])))
        if tag in {"input", "select", "textarea"} and "name" in attributes:
            self.forms[-1].inputs[attributes["name"]] = {"type": tag, **attributes}
        if tag == "option" and "selected" in attributes:
            list(self.forms[-1].inputs.values())[-1]["value"] = attributes["value"]
        if tag == "a":
            self.links.append(urljoin(self.url, attributes["href"]))

    def handle_endtag(self, tag: str) -> None:
        if tag != "doctype":
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["textarea"]:
            # A browser drops the first line break (HTML, 13.1.2.5).
            list(self.forms[-1].inputs.values())[-1]["value"] = data.removeprefix("\n")
        self._texts.append(data)

    def form(self, action: str) -> Form:
        """The form that posts to a path (the end of it is enough)."""
        found = [form for form in self.forms if urlsplit(form.action).path.endswith(action)]
        assert found, f"no form for {action} among {[form.action for form in self.forms]}"
        return found[0]

    def by_id(self, name: str) -> tuple[str, dict[str, str]]:
        """The element with an id: there is exactly one."""
        (found,) = [item for item in self.tags if item[1].get("id") == name]
        return found


class Surfer:
    """Visits the pages of an app below a mount."""

    def __init__(self, app: ASGIApp, mount: str = "/auth", **scope: Any) -> None:
        self.client = Client(app, headers=dict(VISITOR), keep_cookies=True)
        self.mount = mount
        self.scope = scope

    async def get(self, path: str, **options: Any) -> Page:
        """Open a page, following redirects within the mount."""
        return await self._request("GET", urljoin(f"{self.mount}/", path), **options)

    async def post(self, url: str, values: dict[str, str], **options: Any) -> Page:
        """Send values as a form does."""
        body = urlencode(values).encode()
        form = [("content-type", "application/x-www-form-urlencoded")]
        return await self._request("POST", urljoin(f"{self.mount}/", url), body=body, headers=form, **options)

    async def submit(self, page: Page, action: str, **values: str) -> Page:
        """Fill in a form of a page and send it."""
        form = page.form(action)
        unknown = values.keys() - form.inputs.keys()
        assert not unknown, f"no input for {unknown}"
        return await self.post(form.action, form.values | values)

    async def _request(self, method: str, url: str, *, follow: bool = True, **options: Any) -> Page:
        parts = urlsplit(url)
        scope = {"query_string": parts.query.encode(), **self.scope}
        answer = await self.client.request(method, unquote(parts.path), scope=scope, **options)
        target = urljoin(url, answer.header("location") or "")
        if follow and answer.status == 303 and target.startswith(self.mount):
            return await self._request("GET", target)
        return Page(answer, target if answer.status == 303 else url)
