from contextlib import suppress

# The benchmarks start the servers of the tests in an environment without pytest.
with suppress(ModuleNotFoundError):
    import pytest

    # Before the first import of them: a failing assert shows its values.
    pytest.register_assert_rewrite("asgi_auth.testing.contract", "asgi_auth.testing.records")
