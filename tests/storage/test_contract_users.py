"""Every sentence of the contract about pages of users, and users that are added together, for every driver."""

from asgi_auth.testing.contract.users import *  # noqa: F403 (its tests)
