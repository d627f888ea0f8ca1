"""Every sentence of `asgi_auth/storage/contract/counters.py`, for every driver."""

from asgi_auth.testing.contract.counting import *  # noqa: F403 (its tests)
