"""What must be atomic, tried with many concurrent callers, for every driver."""

from asgi_auth.testing.contract.races import *  # noqa: F403 (its tests)
