"""Every sentence of the contract about the sessions of grants, for every driver."""

from asgi_auth.testing.contract.grants import *  # noqa: F403 (its tests)
