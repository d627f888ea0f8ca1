"""The strict reader of access tokens for other services: public. Names are loaded on first use."""

from typing import TYPE_CHECKING

from asgi_auth._lazy import loader

if TYPE_CHECKING:
    from asgi_auth.verify.middleware import VerifierMiddleware
    from asgi_auth.verify.verifier import Verifier

__all__ = ["Verifier", "VerifierMiddleware"]

if not TYPE_CHECKING:
    __getattr__ = loader(
        __name__, {"Verifier": "verify.verifier", "VerifierMiddleware": "verify.middleware"}, "asgi_auth"
    )
