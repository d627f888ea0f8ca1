"""The example on FastMCP, with the cheapest hashes: a process of its own serves it."""

from importlib import import_module

from asgi_auth import Argon2
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.feature import PasswordService

# The examples are no package for the type checker.
app = import_module("examples.connected.connected").app
app.auth[PasswordService].hasher = PasswordHasher(Argon2.cheap(), 1, None)
