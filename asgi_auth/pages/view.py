"""The context of a page's templates: its texts, its forms, and the links to other pages."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from asgi_auth.accounts.asked_mail import AskedMail
from asgi_auth.errors import AuthError
from asgi_auth.feature.page import Form, Page
from asgi_auth.feature.route import Route
from asgi_auth.model.user_info import UserInfo
from asgi_auth.pages.forms import Failed, FormBuilder, FormView
from asgi_auth.pages.held import without_passwords
from asgi_auth.pages.inputs import fields_of
from asgi_auth.pages.kept import Kept
from asgi_auth.pages.language import Language
from asgi_auth.pages.links import Links
from asgi_auth.pages.mails import by_mail, is_request, purposes_of
from asgi_auth.pages.page_values import filled, names_in
from asgi_auth.pages.site import Site
from asgi_auth.sessions.identity import ANONYMOUS, Identity
from asgi_auth.texts import direction
from asgi_auth.validation.fields import BodyField

#: The hidden field with the page of a form that several pages have.
PAGE = "page"
#: The page on which a logged-in user proves who they are, by one of several ways.
PROOF = "reauthenticate"


@dataclass(frozen=True, kw_only=True)
class View:
    """One rendering: the language, the links, the query, the user, and the refused form."""

    site: Site
    language: Language
    links: Links
    query: Mapping[str, str]
    user: UserInfo | None = None
    failed: Failed | None = None
    carried: Mapping[str, str] = field(default_factory=dict)
    kept: Kept | None = None
    logo: str = ""
    dark_logo: str = ""
    favicon: str = ""
    #: The values in the URL of the page.
    given: Mapping[str, str] = field(default_factory=dict)
    #: What the page's endpoint has answered.
    data: object = None
    permissions: Collection[str] = ()
    #: The kinds of the visitor's credentials; None where the page does not depend on them.
    held: Collection[str] | None = None
    #: The mail that this browser has asked for and that the page is about.
    asked: AskedMail | None = None
    #: Whether another browser has asked for the mail that the page is about.
    elsewhere: bool = False
    #: What is wrong with the link of a mail that has opened the page.
    dead: AuthError | None = None
    #: The visitor; another user may act as this one.
    visitor: Identity = ANONYMOUS

    def href(self, page: str, **query: str) -> str:
        """Return the link to a page, with the target of `next`; empty for a page that is not served.

        The values in its path come from `query`.
        """
        path = self.site.plan.paths.get(page, "")
        names = names_in(path)
        path = filled(path, query)
        further = {name: value for name, value in query.items() if name not in names}
        return self.links.to(path, {"next": self.query.get("next", "")} | further) if path and "{" not in path else ""

    def action(self, endpoint: str, **values: str) -> str:
        """Return the action of a form; empty for an endpoint that is not served. HTML has only GET and POST.

        Values in its path that are not given are those in the URL of the page.
        """
        found = self.site.routes.named(endpoint)
        if found is None:
            return ""
        path, route = found
        method = route.endpoint.method
        return self.links.to(
            filled(path, {**self.given, **values}), {"_method": method if method not in {"GET", "POST"} else ""}
        )

    def permits(self, endpoint: str) -> bool:
        """Tell whether the visitor has the permission that an endpoint needs."""
        found = self.site.routes.named(endpoint)
        permission = found[1].endpoint.permission if found is not None else None
        return permission is None or permission in self.permissions

    def frame(self) -> dict[str, Any]:
        """Return the context of every template."""
        assets = {path: self.links.to(path, {"v": hashed}) for path, hashed in self.site.renderer.versions.items()}
        return {
            "language": self.language.name,
            "direction": direction(self.language.name),
            "t": self.language.get,
            "maybe": self.language.maybe,
            "label": self.language.label,
            "href": self.href,
            "action": self.action,
            "may": self.permits,
            "service": self.site.auth.settings.name,
            "logo": self.logo,
            "dark_logo": self.dark_logo,
            "favicon": self.favicon,
            "home": "",
            "css": assets["/pages.css"],
            "js": assets["/pages.js"],
            "scripts": [assets[path] for path in self.site.plan.scripts],
            "device_name": self.language.device,
            "failed": self.failed is not None,
            "banners": self.site.plan.banners,
            "next": self.query.get("next", ""),
            "me": self.user,
            "actor": self.visitor.actor,
        }

    def page(self, page: Page) -> dict[str, Any]:
        """Return the context of a page."""
        forms = self._forms(page)
        if self.dead is not None:
            forms = {name: form for name, form in forms.items() if not form.by_link}
        self._focus(page, forms)
        said, texts = self.query.get("said", ""), self.language.get
        plan = self.site.plan
        elsewhere = self.elsewhere and self._is_by_mail(page)
        below = [*(plan.begins(page) if elsewhere else ()), *plan.links_of(page)]
        below = [name for name in dict.fromkeys(below) if self.permits(plan.pages[name].endpoint)]
        return self.frame() | {
            "page": page.name,
            "offers_ways": page.entrance or page.name == PROOF,
            "title": self.language.get(f"pages.{'check_mail' if self._waits(page, forms) else page.name}.title"),
            "alert": texts("pages.elsewhere.alert") if elsewhere else self._dead_link(),
            "given": self.given,
            "data": self.data,
            "lead": "" if elsewhere else self._lead(page, forms),
            "said": self.language.get(f"pages.said.{said}") if said in self.site.plan.said else "",
            "forms": forms,
            "links": self._other_address(below) + [(self._onward(name), self.name_of(name)) for name in below],
        }

    def _dead_link(self) -> str:
        return self.language.error(self.dead) if self.dead is not None else ""

    def name_of(self, page: str) -> str:
        """Return the text of a link to a page."""
        return self.language.maybe(f"pages.link.{page}") or self.language.get(f"pages.{page}.title")

    def _other_address(self, links: Collection[str]) -> list[tuple[str, str]]:
        """Return the link back to the page where another address can be typed, unless the page has one."""
        page = self.asked.page if self.asked is not None else ""
        target = self._onward(page) if page and page not in links else ""
        return [(target, self.language.get("pages.check_mail.other"))] if target else []

    def _waits(self, page: Page, forms: Mapping[str, FormView]) -> bool:
        """Tell whether a page waits for the code of a mail."""
        main = forms.get(page.endpoint)
        return self._is_by_mail(page) and main is not None and "request" in main.hidden

    def _is_by_mail(self, page: Page) -> bool:
        """Tell whether a page takes the link or the code of a mail."""
        found = self.site.routes.named(page.endpoint)
        return found is not None and by_mail(found[1].endpoint)

    def _onward(self, page: str) -> str:
        """Return the link to a page, with the request of an earlier mail if that page can ask for another mail."""
        if page not in self.site.plan.paths:
            return ""
        found = self.site.routes.named(self.site.plan.pages[page].endpoint)
        asks = found is not None and is_request(found[1].endpoint)
        return self.href(page, request=self.query.get("request", "") if asks else "")

    def _failed_on(self, page: Page) -> Failed | None:
        """Return the refused form of a page: its own form in place of one that shares the fields."""
        form = self.site.plan.forms.get(self.failed.endpoint) if self.failed else None
        return replace(self.failed, endpoint=page.endpoint) if self.failed and form and form.shares else self.failed

    def _forms(self, page: Page) -> dict[str, FormView]:
        builder = FormBuilder(
            language=self.language,
            policy=self.site.policy,
            given=self.query,
            carried=self.carried,
            user=self.user,
            failed=self._failed_on(page),
            kept=self.kept,
            data=self.data,
        )
        forms = {}
        for form in self._forms_on(page):
            found = self.site.routes.named(form.endpoint)
            is_shown = self.permits(form.endpoint) and self._has_credential(form)
            if found is not None and is_shown and self._is_wanted(form, page, found[1]):
                fields = self._fields_of(form, page, *found)
                forms[form.endpoint] = builder.build(form, self.action(form.endpoint), fields)
                self._take_along(forms[form.endpoint], page, form)
                self._ask_again(forms[form.endpoint], found[1])
                self._tell_script(forms[form.endpoint], form)
                self._set_asides(forms[form.endpoint], form)
        return {name: form for name, form in forms.items() if form is not None}

    def _has_credential(self, form: Form) -> bool:
        """Tell whether the visitor has the credential that a form asks for."""
        return self.held is None or not form.credential or form.credential in self.held

    def _fields_of(self, form: Form, page: Page, path: str, route: Route) -> dict[str, BodyField]:
        """Return the fields that a form has on a page."""
        fields = fields_of(route, path, self.site.auth.settings)
        if page.name in form.bare_on:
            added = route.feature.pipeline.added(route.endpoint)
            fields = {name: field for name, field in fields.items() if name not in added}
        return fields if self.held is None else without_passwords(fields, route.endpoint, self.held)

    def _is_wanted(self, form: Form, page: Page, route: Route) -> bool:
        """Tell whether a form that asks for a mail stands on the page for its code, where it is one of two pages.

        There it asks again: for a mail that this browser has asked for, or in place of a dead link.
        """
        asks_again = page.name in form.also and is_request(route.endpoint)
        return not asks_again or self.asked is not None or self.dead is not None

    def _ask_again(self, view: FormView | None, route: Route) -> None:
        """Let a form ask for another mail with what was typed before, and after a while."""
        asked = self.asked
        if view is None or asked is None or not is_request(route.endpoint) or view.alert:
            return
        if view.hidden.get("request") == asked.request and asked.field in {item.name for item in view.inputs}:
            view.inputs = [item for item in view.inputs if item.name != asked.field]
            view.hidden[asked.field] = asked.name
            quiet = max((purpose.quiet for purpose in purposes_of(self.site, route.endpoint.name)), default=0)
            view.wait = max(0, asked.at + quiet - int(self.site.auth.now()))

    def _tell_script(self, view: FormView | None, form: Form) -> None:
        """Give the script of a form that shares its fields what the error has for it."""
        if view is not None and form.shares and self.failed is not None and self.failed.endpoint == form.endpoint:
            view.data = self.failed.error.for_script

    def _set_asides(self, view: FormView | None, form: Form) -> None:
        """Set the links beside the labels of inputs, to pages that are served."""
        for item in view.inputs if view is not None else ():
            page = form.asides.get(item.name, "")
            if target := page and self._onward(page):
                item.aside = target, self.language.get(f"pages.link.{page}")

    def _take_along(self, view: FormView | None, page: Page, form: Form) -> None:
        """Keep the target of `next` in a form, the values of a form of another page, and one of several pages."""
        # On its own page a form needs none, unless a script tells the pages apart by it.
        if view is not None and form.also and (form.by_script or page.name != form.page):
            view.hidden[PAGE] = page.name
        if view is not None and self.query.get("next"):
            view.hidden["next"] = self.query["next"]
        if view is not None and self.kept is not None and not self._has_kept(page):
            view.hidden |= self.kept.hidden()

    def _has_kept(self, page: Page) -> bool:
        """Tell whether a page has the form whose values were kept."""
        return self.kept is not None and self.kept.endpoint in {item.endpoint for item in self.site.plan.forms_of(page)}

    def _forms_on(self, page: Page) -> list[Form]:
        """Return the forms of a page; with kept values, which no link takes along, those of all ways to log in."""
        plan = self.site.plan
        forms = sorted(plan.forms_of(page), key=lambda form: form.endpoint != page.endpoint)
        if self.kept is None or not page.entrance:
            return forms
        others = [plan.pages[name] for name in plan.links_of(page) if plan.pages[name].entrance]
        return forms + [plan.forms[other.endpoint] for other in others if other.endpoint in plan.forms]

    def _lead(self, page: Page, forms: Mapping[str, FormView]) -> str:
        """Return the lead text; on pages for the link of a mail it depends on the link."""
        main = forms.get(page.endpoint)
        if main and main.by_link and any(item.name == "password" for item in main.inputs):
            return self.language.get("pages.lead.password")
        if self.dead is not None:
            return ""
        if not self._is_by_mail(page) or (main and main.by_link):
            return self.language.maybe(f"pages.{page.name}.lead")
        if main and self.asked is not None and self.asked.name:
            return self.language.get("pages.check_mail.lead", name=self.asked.name)
        return self.language.get("pages.lead.code" if main else "pages.lead.no_link")

    def _focus(self, page: Page, forms: Mapping[str, FormView]) -> None:
        """Focus the refused form; on a page for one purpose, its first form."""
        failed = self._failed_on(page)
        refused = forms.get(failed.endpoint) if failed else None
        if refused is not None:
            refused.focus()
        elif page.focus and forms:
            next(iter(forms.values())).focus()
