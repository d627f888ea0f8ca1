"""The app that `benchmarks.enumeration` asks: KNOWN accounts, and mails to an SMTP server that hangs."""

import os
from typing import Any

from asgi_auth import Argon2, Auth, AuthMiddleware, Passwords, Sessions, Settings, SMTPMailer
from asgi_auth.features.email_verification import EmailVerification
from asgi_auth.features.password_reset import PasswordReset
from asgi_auth.model.records import User, new_id
from tests.support import who

auth = Auth(
    os.environ["AUTH_DATABASE_URL"],
    settings=Settings(secret=os.environ["AUTH_SECRET"], base_url="https://app.example.com"),
    features=[Passwords(argon2=Argon2.cheap()), Sessions(), EmailVerification(), PasswordReset()],
    mailer=SMTPMailer("127.0.0.1", int(os.environ["SMTP_PORT"]), sender="auth@example.com", tls="none"),
)
wrapped = AuthMiddleware(who, auth, mount="/auth")


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Make the accounts before the first request is answered."""
    if scope["type"] == "http" and await auth.storage.user_by_email("known0@example.com") is None:
        secret = await auth[Passwords].passwords.hasher.hash("correct horse battery")
        for number in range(int(os.environ["KNOWN"])):
            await add(f"known{number}@example.com", secret)
    await wrapped(scope, receive, send)


async def add(email: str, secret: str) -> None:
    """Add a verified account."""
    now = int(auth.now())
    user = User(id=new_id(now), email=email, email_canonical=email, email_verified=True, created_at=now, updated_at=now)
    await auth.storage.add_user(user, auth[Passwords].passwords.credential(user.id, secret))
