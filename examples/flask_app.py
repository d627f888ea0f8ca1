"""Flask: a2wsgi makes an ASGI app from the Flask app. Views read the user with `current_user()`."""

import os

from a2wsgi import WSGIMiddleware
from flask import Flask

from asgi_auth import Auth, AuthMiddleware, current_user
from asgi_auth.hosts.flask import install, require

web = Flask(__name__)
install(web)


@web.get("/who")
def who() -> dict[str, str | None]:
    return {"user": current_user().id or None}


@web.get("/admin")
@require(roles="admin")
def admin() -> dict[str, str]:
    return {"user": current_user().id}


@web.post("/note")
def note() -> dict[str, bool]:
    return {"noted": True}


auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(WSGIMiddleware(web), auth, mount="/auth")  # type: ignore[arg-type]  # WSGI types differ
