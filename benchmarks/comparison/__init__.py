"""asgi_auth beside libraries for the same purpose, each in its own environment: `python -m benchmarks.comparison`."""
