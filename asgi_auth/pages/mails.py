"""The endpoints for mails, and what a mailed link opens: its owner, for password managers, or that it is dead."""

from collections.abc import Mapping
from typing import NamedTuple

from asgi_auth.accounts.purpose import Purpose
from asgi_auth.errors import AuthError, InvalidOneTimeTokenError
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.feature.page import Page
from asgi_auth.pages.inputs import TICKET
from asgi_auth.pages.site import Site


def purposes_of(site: Site, endpoint: str) -> list[Purpose]:
    """Return the purposes of the tokens of the feature with an endpoint."""
    found = site.routes.named(endpoint)
    return [item for item in vars(found[1].feature).values() if isinstance(item, Purpose)] if found else []


def by_mail(endpoint: Endpoint) -> bool:
    """Tell whether an endpoint takes the token of a mail."""
    return "token" in endpoint.fields


def is_request(endpoint: Endpoint) -> bool:
    """Tell whether an endpoint asks for a mail, and for another one by the `request` of an earlier one."""
    return {"request"} == set(TICKET) & endpoint.fields.keys()


class Opened(NamedTuple):
    """What the link of a mail has opened: the address of its account, and the `request` of its mail.

    `dead` is the error of a link that cannot be used.
    """

    owner: str = ""
    request: str = ""
    dead: AuthError | None = None


async def opened_by_link(site: Site, page: Page, sent: Mapping[str, str]) -> Opened:
    """Look up the token of a link, which stays unused. A visitor with the link has read the mail."""
    token, purposes = sent.get("token", ""), purposes_of(site, page.endpoint)
    if not token or not purposes:
        return Opened()
    try:
        about = await site.auth.one_time.find(purposes, token, "", "")
        user = await site.auth.storage.user(about.user_id) if about.user_id else None
    except InvalidOneTimeTokenError as error:
        return Opened(dead=error)
    except AuthError:
        # The form itself shows what is wrong.
        return Opened()
    return Opened(owner=user.email if user is not None else about.subject, request=about.id)
