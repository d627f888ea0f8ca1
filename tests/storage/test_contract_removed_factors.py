"""Every sentence of the contract about sessions while a second factor is removed, for every driver."""

from asgi_auth.testing.contract.removed_factors import *  # noqa: F403 (its tests)
