"""Password reset: a mail with a link and a code for users who forgot their password."""

from asgi_auth.features.password_reset.feature import PasswordReset

__all__ = ["PasswordReset"]
