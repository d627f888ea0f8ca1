"""Every sentence of `asgi_auth/storage/contract/feed.py`, for every driver."""

from asgi_auth.testing.contract.feed import *  # noqa: F403 (its tests)
