"""The credentials that a visitor can show: a page asks for no others."""

from collections.abc import Collection

from asgi_auth.accounts.passwords import KIND as PASSWORD
from asgi_auth.errors import PendingLoginExpiredError
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.feature.page import Page
from asgi_auth.model.records import Client
from asgi_auth.pages.site import Site
from asgi_auth.sessions.identity import Identity
from asgi_auth.sessions.second_factors import USED_UP
from asgi_auth.validation.fields import BodyField
from asgi_auth.web.request_pipeline import PENDING

#: The fields of a current password.
PASSWORDS = ("current_password", "password")


async def held_by(site: Site, page: Page, identity: Identity, client: Client, pending: str) -> Collection[str] | None:
    """Return the kinds of the usable credentials of a visitor; None where the page does not depend on them.

    On a page for a pending login these are the second factors of its user. `pending` is the secret of that login, if
    the request has it in a field.
    """
    auth, forms = site.auth, site.plan.forms_of(page)
    found = [site.routes.named(form.endpoint) for form in forms]
    asks = any(each is not None and is_asking(each[1].endpoint) for each in found)
    if not asks and not any(form.credential for form in forms):
        return None
    user_id, is_pending = identity.id, page.carries == PENDING
    if is_pending:
        try:
            user_id = (await auth.pending.find(pending or client.cookies.get(PENDING, ""))).user_id
        except PendingLoginExpiredError:
            return None
    elif not identity.is_authenticated:
        return None
    usable = [each for each in await auth.storage.credentials(user_id) if each.secret and not each.data.get(USED_UP)]
    return {each.kind for each in usable if not is_pending or auth.second_factors.is_factor(each.kind)}


def is_asking(endpoint: Endpoint) -> bool:
    """Tell whether an endpoint asks for the current password of a user."""
    return endpoint.guesses == PASSWORD and endpoint.needs_login


def without_passwords(fields: dict[str, BodyField], endpoint: Endpoint, held: Collection[str]) -> dict[str, BodyField]:
    """Return fields without a password that may be left out, for a user without one."""
    if PASSWORD in held or not is_asking(endpoint):
        return fields
    return {name: field for name, field in fields.items() if field.required or name not in PASSWORDS}
