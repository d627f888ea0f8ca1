"""Trusted devices: browsers whose logins need no second factor for a while."""

from asgi_auth.features.trusted_devices.feature import TrustedDevices

__all__ = ["TrustedDevices"]
