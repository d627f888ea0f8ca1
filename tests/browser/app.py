"""The app that the browser drives: all pages, over the database that AUTH_DATABASE_URL names."""

import os
from typing import Any

from asgi_auth import (
    OIDC,
    Admin,
    Auth,
    AuthMiddleware,
    Field,
    OpenIDProvider,
    Outbox,
    Pages,
    Passkeys,
    RecoveryCodes,
    SecondFactors,
    Settings,
    Totp,
    TrustedDevices,
    current_user,
    google,
)
from asgi_auth.feature import Feature, Identity, get, post
from tests.pages.flows import all_features
from tests.scratch_feature import Nicknames

FIELDS = [Field("display_name", max_length=60), Field("year_of_birth", int), Field("newsletter", bool, default=False)]


async def home(scope: Any, _receive: Any, send: Any) -> None:
    """A host's own page."""
    if scope["type"] == "http":
        body = f"<!doctype html><title>Home</title><p id=who>{current_user().id or 'nobody'}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": body})


class Mails(Feature):
    """Shows the mails to the tests, and makes administrators."""

    @post("/promote", status=204)
    async def promote(self, *, identity: Identity) -> None:
        """Make the caller an administrator."""
        await self.auth.users.set_roles(identity.id, ["admin"])

    @get("/outbox")
    async def outbox(self) -> list[dict[str, str]]:
        """Show what was sent."""
        return [
            {"purpose": mail.purpose, "to": mail.to, "token": mail.token, "code": mail.code} for mail in OUTBOX.mails
        ]


OUTBOX = Outbox()
BASE_URL = os.environ["AUTH_BASE_URL"]
#: The same server by another name, and so another origin.
ELSEWHERE = BASE_URL.replace("localhost", "127.0.0.1")
#: A feature of a host's own, for the tests of its pages; and all other features that the account page shows.
FURTHER: list[Feature] = [Nicknames()] if "WITH_NICKNAMES" in os.environ else []
if "WITH_ALL" in os.environ:
    providers = [OpenIDProvider("corp", "app", "a secret", issuer="https://id.example.com", title="Example Corp")]
    FURTHER += [TrustedDevices(), OIDC([*providers, google("app", "a secret")])]
PAGES = Pages(after_login="account", next_allowed=[f"{ELSEWHERE}/"])
auth = Auth(
    os.environ["AUTH_DATABASE_URL"],
    settings=Settings(
        secret=os.environ["AUTH_SECRET"],
        base_url=BASE_URL,
        development=BASE_URL.startswith("http:"),
        name="Lighthouse",
        fields=FIELDS,
        enumeration="tell",
    ),
    features=[
        *all_features(PAGES),
        SecondFactors(),
        Totp(),
        RecoveryCodes(),
        Passkeys(sign_up=True),
        Admin(),
        Mails(),
        *FURTHER,
    ],
    mailer=OUTBOX,
)
auth.mail.pause = 0
app = AuthMiddleware(home, auth, mount="/auth")
