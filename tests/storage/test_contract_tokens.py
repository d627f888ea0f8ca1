"""Every sentence of `asgi_auth/storage/contract/tokens.py`, and the deletion of users, for every driver."""

from asgi_auth.testing.contract.tokens import *  # noqa: F403 (its tests)
