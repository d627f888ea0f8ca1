"""The plan of an app's pages: the pages, forms, sections and scripts of the features whose endpoints are served."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from asgi_auth.feature.base import BaseFeature
from asgi_auth.feature.page import Form, Page, Section
from asgi_auth.pages.page_values import names_in
from asgi_auth.texts import Texts
from asgi_auth.web.routes import Routes

#: The message above a form that comes back after its user has proven who they are.
PROVEN = "proven"
#: The messages that the pages themselves show.
SAID = frozenset(
    {
        "mail_sent",
        "login_needed",
        "fresh_login_required",
        "second_factor_needed",
        "second_factor_missing",
        "email_not_verified",
        PROVEN,
    }
)
#: The page whose sections are in groups.
ACCOUNT = "account"
SCRIPT = re.compile(r"[a-z0-9_-]+\.js")
T = TypeVar("T", Page, Form, Section)


class Plan:
    """What the features show: `pages` and `sections` by name, `forms` by endpoint, the `paths` of pages by name.

    Raises ValueError when two features show the same, and for a missing endpoint, text or script.
    """

    def __init__(self, features: Sequence[BaseFeature], routes: Routes, texts: Texts) -> None:
        """Select what is served."""
        for feature in features:
            _check_endpoints(feature)
        self.pages: Mapping[str, Page] = _unique("page", lambda item: item.name, (item.pages for item in features))
        forms = _unique("form", lambda item: item.endpoint, (item.forms for item in features))
        sections = _unique("section", lambda item: item.name, (item.sections for item in features))
        self.forms: Mapping[str, Form] = {name: form for name, form in forms.items() if routes.named(name)}
        found = [section for section in sections.values() if routes.named(section.endpoint)]
        self.sections: Sequence[Section] = sorted(found, key=lambda section: section.order)
        served = [(page, routes.named(page.endpoint)) for page in self.pages.values()]
        self.paths: Mapping[str, str] = {page.name: page.path or at[0] for page, at in served if at is not None}
        if len(set(self.paths.values())) < len(self.paths):
            raise ValueError(f"two pages have the same path: {', '.join(sorted(self.paths.values()))}")
        fields = {endpoint.name: endpoint.fields.keys() for feature in features for endpoint in feature.endpoints}
        for page in (self.pages[name] for name in self.paths):
            loaded = [page.endpoint, *(item.endpoint for item in sections.values() if item.page == page.name)]
            self._check_values(page, routes, {name for endpoint in loaded for name in fields.get(endpoint, ())})
        self.said: frozenset[str] = SAID | {form.said for form in self.forms.values() if form.said}
        self.scripts: Mapping[str, Path] = _scripts(features)
        #: The sections of the feature of each endpoint.
        self._siblings: Mapping[str, Collection[str]] = {
            form.endpoint: {section.name for section in feature.sections}
            for feature in features
            for form in feature.forms
        }
        #: The templates at the top of every page.
        self.banners: Sequence[str] = [f"banners/{name}.html" for feature in features for name in feature.banners]
        self._check_texts(texts)

    def forms_of(self, page: Page) -> list[Form]:
        """Return the forms of a page, in the order of the features."""
        return [form for form in self.forms.values() if page.name in {form.page, *form.also}]

    def group_of(self, form: str) -> str:
        """Return the group with the form of an endpoint: of its section, else of the first one of its feature."""
        own = [section for section in self.sections if section.endpoint == form]
        of_feature = [section for section in self.sections if section.name in self._siblings.get(form, ())]
        return next((section.group for section in [*own, *of_feature]), "")

    def sections_of(self, page: Page) -> list[Section]:
        """Return the sections of a page, in their order."""
        return [section for section in self.sections if section.page == page.name]

    def values_of(self, page: str) -> tuple[str, ...]:
        """Return the names of the values in the URL of a page: in its path, and in its query."""
        return (*names_in(self.paths.get(page, "")), *self.pages[page].query) if page in self.pages else ()

    def first_of(self, pages: Sequence[str]) -> str:
        """Return the first of some pages that is served; empty if none is."""
        return next((name for name in pages if name in self.paths), "")

    def begins(self, page: Page) -> list[str]:
        """Return the pages with a form that leads to a page, such as one that asks for the mail with its code."""
        forms = [form for form in self.forms.values() if page.name in {form.after, form.waits}]
        names = dict.fromkeys(form.page for form in forms if form.page != page.name)
        return [name for name in names if name in self.paths and not self.pages[name].carries]

    def links_of(self, page: Page) -> list[str]:
        """Return the pages that a page links to."""
        further = [other.name for other in self.pages.values() if page.name in other.linked_from]
        return [name for name in dict.fromkeys([*page.links, *further]) if name in self.paths]

    def _check_values(self, page: Page, routes: Routes, fields: Collection[str]) -> None:
        """Raise ValueError for a value in a URL that is not in `fields`, and for a form that cannot lead back."""
        if unknown := set(self.values_of(page.name)).difference(fields):
            raise ValueError(f"the page {page.name!r} has no field {', '.join(sorted(unknown))}")
        needed = set(names_in(self.paths.get(page.name, "")))
        for form in self.forms_of(page):
            found = routes.named(form.endpoint)
            if found is not None and not needed <= set(names_in(found[0])):
                raise ValueError(f"the form {form.endpoint!r} lacks a value in the path of its page {page.name!r}")

    def _check_texts(self, texts: Texts) -> None:
        pages = [self.pages[name] for name in self.paths]
        codes = {f"pages.{page.name}.title" for page in pages}
        codes |= {f"pages.link.{name}" for page in pages for name in self.links_of(page)}
        codes |= {
            f"pages.link.{name}" for form in self.forms.values() for name in form.asides.values() if name in self.paths
        }
        codes |= {f"pages.group.{section.group}" for section in self.sections if section.page == ACCOUNT}
        codes |= {f"pages.{form.endpoint}.button" for form in self.forms.values()}
        codes |= {f"pages.{form.endpoint}.failed" for form in self.forms.values() if form.by_script}
        codes |= {f"pages.said.{said}" for said in self.said}
        if missing := sorted(code for code in codes if texts.find_raw(code) is None):
            raise ValueError(f"pages lack the texts {', '.join(missing)}")


def _unique(kind: str, name_of: Callable[[T], str], parts: Iterable[Sequence[T]]) -> dict[str, T]:
    """Return what features declare, by name. Raises ValueError when two declare the same name."""
    found: dict[str, T] = {}
    for item in (item for part in parts for item in part):
        if found.setdefault(name_of(item), item) is not item:
            raise ValueError(f"two features have the same {kind}: {name_of(item)!r}")
    return found


def _check_endpoints(feature: BaseFeature) -> None:
    """Raise ValueError for an endpoint that the class does not declare, and for `loads` at one that is no GET."""
    items: list[Page | Form | Section] = [*feature.pages, *feature.forms, *feature.sections]
    for item in items:
        endpoint = getattr(getattr(feature, item.endpoint, None), "endpoint", None)
        name = type(feature).__name__
        if endpoint is None:
            raise ValueError(f"{name} has no endpoint {item.endpoint!r} for its {type(item).__name__.lower()}")
        if not isinstance(item, Form) and item.loads and endpoint.method != "GET":
            raise ValueError(f"{name}: `loads` needs a GET, and {item.endpoint!r} is a {endpoint.method}")


def _scripts(features: Sequence[BaseFeature]) -> dict[str, Path]:
    """Return the files of scripts, by path below the mount."""
    found: dict[str, Path] = {}
    for feature in features:
        for name in feature.scripts:
            files = [room / "scripts" / name for room in feature.rooms()]
            file = next((file for file in files if SCRIPT.fullmatch(name) and file.is_file()), None)
            if file is None or found.setdefault(f"/{name}", file) is not file:
                raise ValueError(f"{type(feature).__name__}: the script {name!r} is missing, or there are two")
    return found
