"""asgi_auth: authentication for every ASGI framework."""

from asgi_auth.app import AuthApp
from asgi_auth.auth import Auth
from asgi_auth.errors import AuthError
from asgi_auth.features.pages import Pages
from asgi_auth.features.passwords import Passwords
from asgi_auth.features.sessions import Sessions
from asgi_auth.fields import Field
from asgi_auth.hashing import Argon2
from asgi_auth.http import problem
from asgi_auth.identity import Identity, current_user, require
from asgi_auth.keys import SigningKey
from asgi_auth.middleware import AuthMiddleware
from asgi_auth.password_policy import PasswordPolicy
from asgi_auth.settings import Settings

__all__ = [
    "Argon2",
    "Auth",
    "AuthApp",
    "AuthError",
    "AuthMiddleware",
    "Field",
    "Identity",
    "Pages",
    "PasswordPolicy",
    "Passwords",
    "Sessions",
    "Settings",
    "SigningKey",
    "current_user",
    "problem",
    "require",
]
__version__ = "0.1.0"
