"""Magic link: log in by a mail, without a password. Off by default (ASVS 6.3.6: not for the highest level)."""

from asgi_auth.features.magic_link.feature import MagicLink

__all__ = ["MagicLink"]
