"""The names of what can happen; features hear of it through `Feature.observe`."""

from typing import Final

USER_REGISTERED: Final = "user_registered"
USER_CHANGED: Final = "user_changed"
LOGIN_SUCCEEDED: Final = "login_succeeded"
LOGIN_FAILED: Final = "login_failed"
PASSWORD_VERIFIED: Final = "password_verified"
SESSION_REFRESHED: Final = "session_refreshed"
SESSION_ENDED: Final = "session_ended"
TOKEN_REUSED: Final = "token_reused"
PASSWORD_CHANGED: Final = "password_changed"
EMAIL_VERIFIED: Final = "email_verified"
EMAIL_CHANGED: Final = "email_changed"
ACCOUNT_CLOSED: Final = "account_closed"
MAIL_SENT: Final = "mail_sent"
MAIL_FAILED: Final = "mail_failed"
