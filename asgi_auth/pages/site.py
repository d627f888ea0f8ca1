"""The pages of an app, with their paths and their renderer."""

from collections.abc import Sequence

from starlette.types import Scope

from asgi_auth.accounts.asked_mail import AskedMails
from asgi_auth.auth import Auth
from asgi_auth.feature.base import BaseFeature
from asgi_auth.feature.page import Page
from asgi_auth.pages.feature import Pages
from asgi_auth.pages.language import Language
from asgi_auth.pages.plan import Plan
from asgi_auth.pages.render import Renderer
from asgi_auth.validation.password_policy import PasswordPolicy
from asgi_auth.web.client import MAX_LANGUAGES
from asgi_auth.web.cookies import Cookies
from asgi_auth.web.headers import headers
from asgi_auth.web.request_pipeline import RequestPipeline
from asgi_auth.web.routes import Routes


class Site:
    """The pages of one app, and the collaborators of every visit."""

    def __init__(self, pages: Pages, auth: Auth, routes: Routes, requests: RequestPipeline, cookies: Cookies) -> None:
        """Find the pages whose endpoints are served. Raises ValueError when an endpoint has the path of a page."""
        self.pages = pages
        self.auth = auth
        self.routes = routes
        self.requests = requests
        self.cookies = cookies
        self.plan: Plan = Plan(auth.features, routes, auth.texts)
        self.renderer: Renderer = Renderer(pages, auth.settings, auth.features, self.plan)
        self.policy: PasswordPolicy | None = _policy(auth.features)
        self.at: dict[str, Page] = {path: self.plan.pages[name] for name, path in self.plan.paths.items()}
        self.asked: AskedMails = AskedMails(auth.keys, auth.now)
        routes.add_pages([*self.at, *self.renderer.assets])

    def page_paths(self) -> dict[str, str]:
        """Return the paths of the pages, by the declared paths of their endpoints."""
        return {route.endpoint.path: path for path, route in self.routes if path in self.at}

    def language(self, scope: Scope) -> Language:
        """Return the language that the browser prefers."""
        wanted = ",".join(headers(scope, b"accept-language"))[:MAX_LANGUAGES]
        return Language(self.auth.texts, self.auth.texts.choose(wanted))


def _policy(features: Sequence[BaseFeature]) -> PasswordPolicy | None:
    """Return the policy of new passwords, of the first feature that has one."""
    found = (getattr(feature, "policy", None) for feature in features)
    return next((policy for policy in found if isinstance(policy, PasswordPolicy)), None)
