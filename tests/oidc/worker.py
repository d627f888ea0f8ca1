"""An app of several processes with logins at two providers, whose addresses are in CORP_URL and OTHER_URL."""

import os

from asgi_auth import OIDC, AuthMiddleware, OpenIDProvider
from tests.support import cheap, make_auth, who

#: The address that all processes have behind a load balancer.
BASE_URL = "http://localhost:8000"
NAMES = ("corp", "other")
SECRET = "the-client-secret"
app = None
if "CORP_URL" in os.environ:
    providers = [OpenIDProvider(name, "app", SECRET, issuer=os.environ[f"{name.upper()}_URL"]) for name in NAMES]
    features = [*cheap(), OIDC(providers)]
    auth = make_auth(os.environ["AUTH_DATABASE_URL"], features=features, base_url=BASE_URL, development=True)
    app = AuthMiddleware(who, auth, mount="/auth")
