"""The app that the worker processes of `cluster` run."""

import os

from asgi_auth import Account, Argon2, Auth, AuthMiddleware, Passwords, Sessions, Settings
from tests.support import who

auth = Auth(
    os.environ["AUTH_DATABASE_URL"],
    settings=Settings(secret=os.environ["AUTH_SECRET"], max_sessions=5, relay=os.environ.get("AUTH_RELAY")),
    features=[Passwords(argon2=Argon2.cheap()), Sessions(), Account()],
)
app = AuthMiddleware(who, auth, mount="/auth")
