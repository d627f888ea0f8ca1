"""The app that the worker processes of the races run, with passkeys for pages of `ORIGIN`."""

import os

from asgi_auth import Account, Argon2, Auth, AuthMiddleware, Passkeys, Passwords, Sessions, Settings
from tests.support import ORIGIN, who

auth = Auth(
    os.environ["AUTH_DATABASE_URL"],
    settings=Settings(secret=os.environ["AUTH_SECRET"], base_url=ORIGIN),
    features=[Passwords(argon2=Argon2.cheap()), Sessions(), Account(), Passkeys(sign_up=True)],
)
app = AuthMiddleware(who, auth, mount="/auth")
