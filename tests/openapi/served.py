"""The app that Schemathesis calls, as `uvicorn tests.openapi.served:app` serves it."""

from asgi_auth import AuthMiddleware
from tests.openapi.everything import everything
from tests.support import who

# Thousands of requests from one address are what limits are against; here the endpoints are to be reached. Pages answer
# methods at these paths that no document of endpoints names.
auth = everything(limits=False, pages=False)
app = AuthMiddleware(who, auth, mount="/auth")
