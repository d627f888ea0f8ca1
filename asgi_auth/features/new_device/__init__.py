"""New device: users get a mail about a login from a device that they have not used before (ASVS 6.3.5)."""

from asgi_auth.features.new_device.feature import NewDevice

__all__ = ["NewDevice"]
