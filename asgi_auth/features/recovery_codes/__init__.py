"""Recovery codes: logins without the other second factors."""

from asgi_auth.features.recovery_codes.feature import RecoveryCodes

__all__ = ["RecoveryCodes"]
