"""Every sentence of the contract about sessions whose factors change, for every driver."""

from asgi_auth.testing.contract.factors import *  # noqa: F403 (its tests)
