"""Every sentence of `asgi_auth/storage/contract/audit.py`, for every driver."""

from asgi_auth.testing.contract.audit import *  # noqa: F403 (its tests)
