"""Every sentence of `asgi_auth/storage/contract/networks.py`, for every driver."""

from asgi_auth.testing.contract.networks import *  # noqa: F403 (its tests)
