"""The way of a browser from a provider back to the client: a redirect, or a form that submits itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

from asgi_auth.testing.provider.wire import Response, as_html, hidden, redirect

#: The values of `response_mode` (OAuth 2.0 Multiple Response Types; OAuth 2.0 Form Post Response Mode).
MODES = ("query", "form_post")


@dataclass(frozen=True)
class Return:
    """The parameters that a browser carries to the client's redirect URI, and how: a mode of MODES."""

    redirect_uri: str
    parameters: Mapping[str, str]
    mode: str = "query"

    @property
    def url(self) -> str:
        """The URL that the browser asks for."""
        if self.mode == "form_post":
            return self.redirect_uri
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{urlencode(self.parameters)}"

    @property
    def response(self) -> Response:
        """The response that sends a browser there."""
        if self.mode == "query":
            return redirect(self.redirect_uri, self.parameters)
        form = f'<form method="post" action="{escape(self.redirect_uri)}">{hidden(self.parameters)}'
        return as_html(f"{form}<button>Continue</button></form><script>document.forms[0].submit()</script>")
