"""The owner of a mailed link, for password managers on the page that the link opens."""

from collections.abc import Mapping

from asgi_auth.accounts.purpose import Purpose
from asgi_auth.errors import AuthError
from asgi_auth.feature.page import Page
from asgi_auth.pages.site import Site


async def owner_of_link(site: Site, page: Page, sent: Mapping[str, str]) -> str:
    """Return the address of the account that the token of a link is about; empty for an invalid token.

    The token stays unused. Who has the link has read the mail to that address.
    """
    found = site.routes.named(page.endpoint)
    token = sent.get("token", "")
    if found is None or not token:
        return ""
    purposes = [item for item in vars(found[1].feature).values() if isinstance(item, Purpose)]
    try:
        about = await site.auth.one_time.find(purposes, token, "", "") if purposes else None
        user = await site.auth.storage.user(about.user_id) if about is not None and about.user_id else None
    except AuthError:
        # The form itself shows what is wrong.
        return ""
    return user.email if user is not None else about.subject if about is not None else ""
