"""The app that Schemathesis calls, as `uvicorn tests.openapi.served:app` serves it."""

from asgi_auth import AuthMiddleware
from tests.openapi.everything import everything
from tests.support import who

app = AuthMiddleware(who, everything(base_url=None), mount="/auth")
