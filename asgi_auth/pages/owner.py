"""The owner of a mailed link, for password managers on the page that the link opens; and whether the link is dead."""

from collections.abc import Mapping

from asgi_auth.accounts.purpose import Purpose
from asgi_auth.errors import AuthError, InvalidOneTimeTokenError
from asgi_auth.feature.page import Page
from asgi_auth.pages.site import Site


def purposes_of(site: Site, endpoint: str) -> list[Purpose]:
    """Return the purposes of the tokens of the feature with an endpoint."""
    found = site.routes.named(endpoint)
    return [item for item in vars(found[1].feature).values() if isinstance(item, Purpose)] if found else []


async def owner_of_link(site: Site, page: Page, sent: Mapping[str, str]) -> tuple[str, AuthError | None]:
    """Return the address of the account that the token of a link is about, or the error of a token that is dead.

    The token stays unused. Who has the link has read the mail to that address.
    """
    token, purposes = sent.get("token", ""), purposes_of(site, page.endpoint)
    if not token or not purposes:
        return "", None
    try:
        about = await site.auth.one_time.find(purposes, token, "", "")
        user = await site.auth.storage.user(about.user_id) if about.user_id else None
    except InvalidOneTimeTokenError as error:
        return "", error
    except AuthError:
        # The form itself shows what is wrong.
        return "", None
    return user.email if user is not None else about.subject, None
