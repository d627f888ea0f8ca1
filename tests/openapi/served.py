"""The app that Schemathesis calls, as `uvicorn tests.openapi.served:app` serves it."""

from asgi_auth import AuthMiddleware, Lockout, RateLimits
from tests.openapi.everything import everything
from tests.support import who

auth = everything(base_url=None)
# Thousands of requests from one address are what limits are against; here the endpoints are to be reached.
auth.features = [item for item in auth.features if not isinstance(item, RateLimits | Lockout)]
app = AuthMiddleware(who, auth, mount="/auth")
