"""The way of a user through the pages of real providers, without a browser."""

import re
from html import unescape
from urllib.parse import urljoin

import httpx2

from tests.providers.real.glewlwyd import PASSWORD, USER, Session


async def visit_oidc_provider(url: str, login: str, redirect_uri: str, *, http: httpx2.AsyncClient) -> str:
    """Log in at oidc-provider and agree; return the URL of the way back. A second visit with `http` needs no form."""
    answer = await http.get(url)
    for _ in range(20):
        location = urljoin(str(answer.url), answer.headers.get("location", ""))
        if location.startswith(redirect_uri):
            return location
        if answer.is_redirect:
            answer = await http.get(location)
            continue
        # The page to log in, or the page to agree.
        (action,) = re.findall(r'<form[^>]* action="([^"]+)"', answer.text)
        fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', answer.text))
        if 'name="login"' in answer.text:
            fields |= {"login": login, "password": "any"}
        answer = await http.post(urljoin(str(answer.url), unescape(action)), data=fields)
    raise RuntimeError(f"oidc-provider does not lead back: {answer.text}")


async def visit_glewlwyd(url: str, redirect_uri: str, *, http: httpx2.AsyncClient) -> str:
    """Log in at glewlwyd as its user, who has agreed before; return the URL of the way back."""
    session = Session(url.partition("/api/")[0])
    session.call("POST", "/auth/", {"username": USER, "password": PASSWORD})
    answer = await http.get(f"{url}&g_continue", headers={"cookie": session.cookie})
    location: str = answer.headers["location"]
    if not location.startswith(redirect_uri):
        raise RuntimeError(f"glewlwyd does not lead back: {location}")
    return location
