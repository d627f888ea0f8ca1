"""An app of a user of the library: notes, with roles, all ways to log in, and a websocket."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import FastAPI, WebSocket

from asgi_auth import (
    OIDC,
    Account,
    Auth,
    AuthMiddleware,
    EmailVerification,
    Identity,
    OpenIDProvider,
    Passkeys,
    PasswordReset,
    Passwords,
    RecoveryCodes,
    SecondFactors,
    Sessions,
    Totp,
    current_user,
)
from asgi_auth.feature import Feature, Outgoing
from asgi_auth.hosts.fastapi import CurrentUser, install, require

ROLES = {"writer": ["notes:read", "notes:write"], "reader": ["notes:read"], "admin": ["*"]}
ISSUER = "https://id.example.com"
CLIENT_SECRET = "the-secret-of-the-app-at-the-provider"


def features(outgoing: Outgoing | None = None) -> list[Feature]:
    """The features; tests have no network, and pass another `outgoing`."""
    corp = OpenIDProvider("corp", "notes", CLIENT_SECRET, issuer=ISSUER)
    return [
        Passwords(),
        Sessions(),
        Account(),
        EmailVerification(),
        PasswordReset(),
        SecondFactors(),
        Totp(),
        RecoveryCodes(),
        Passkeys(),
        OIDC([corp], outgoing=outgoing),
    ]


def create_app(auth: Auth) -> AuthMiddleware:
    """Make the app."""
    api = FastAPI()
    install(api)
    notes: list[dict[str, str]] = []

    @api.get("/notes")
    async def read(_: Annotated[Identity, require(permissions="notes:read")]) -> list[dict[str, str]]:
        return notes

    @api.post("/notes", status_code=201)
    async def write(text: str, writer: Annotated[Identity, require(permissions="notes:write")]) -> dict[str, str]:
        notes.append({"text": text, "by": writer.id})
        return notes[-1]

    @api.delete("/notes", status_code=204, dependencies=[require(roles="admin", second_factor=True)])
    async def clear() -> None:
        notes.clear()

    @api.get("/billing")
    async def billing(_: Annotated[Identity, require(verified=True, fresh=timedelta(minutes=10))]) -> str:
        return (await current_user().load()).email

    @api.get("/plan")
    async def plan(user: CurrentUser) -> Any:
        return user.claims.get("plan")

    @api.websocket("/live")
    async def live(socket: WebSocket) -> None:
        current_user().require()
        await socket.accept()
        await socket.send_json({"user": current_user().id, "notes": len(notes)})

    return AuthMiddleware(api, auth, mount="/auth")
