"""Every sentence of the contract about the tokens of a user, and tokens that get a user later, for every driver."""

from asgi_auth.testing.contract.token_owners import *  # noqa: F403 (its tests)
