"""Event types: each action with its meaning and its codes of the OWASP Logging Vocabulary.

Features observe events through `Feature.observe`, hosts through `auth.on`. Where the vocabulary has no code for an
outcome, the code follows its style.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Outcome = Literal["success", "failure"]
#: An event that users are told of: its name and outcome, and where that matters, the `kind` in its data.
Noticed: TypeAlias = tuple[str, Outcome] | tuple[str, Outcome, str]


@dataclass(frozen=True)
class Action:
    """An event type: its meaning, and one code for each outcome. An outcome without a code cannot occur."""

    meaning: str
    success: str = ""
    failure: str = ""

    @property
    def usual(self) -> Outcome:
        """The outcome of an event that names none: success, unless the action can only fail."""
        return "success" if self.success else "failure"


REGISTER: Final = "register"
USER_CREATE: Final = "user_create"
IMPERSONATE: Final = "impersonate"
IMPERSONATE_END: Final = "impersonate_end"
INVITATION: Final = "invitation"
LOGIN: Final = "login"
PASSWORD_CHECK: Final = "password_check"
FACTOR_ADD: Final = "factor_add"
FACTOR_REMOVE: Final = "factor_remove"
FACTOR_CHECK: Final = "factor_check"
IDENTITY_LINK: Final = "identity_link"
IDENTITY_UNLINK: Final = "identity_unlink"
REAUTHENTICATE: Final = "reauthenticate"
SESSION_START: Final = "session_start"
REFRESH: Final = "refresh"
REFRESH_REPEATED: Final = "refresh_repeated"
REFRESH_AHEAD: Final = "refresh_ahead"
TOKEN_REUSE: Final = "token_reuse"
SESSION_END: Final = "session_end"
PASSWORD_CHANGE: Final = "password_change"
ONE_TIME_TOKEN: Final = "one_time_token"
EMAIL_VERIFY: Final = "email_verify"
EMAIL_CHANGE: Final = "email_change"
USER_CHANGE: Final = "user_change"
USERS_IMPORT: Final = "users_import"
ROLE_CHANGE: Final = "role_change"
ACCOUNT_CLOSE: Final = "account_close"
ACCOUNT_DELETE: Final = "account_delete"
NEW_DEVICE: Final = "new_device"
RATE_LIMIT: Final = "rate_limit"
LOCKOUT: Final = "lockout"
UNLOCK: Final = "unlock"
ACCESS: Final = "access"
CROSS_SITE: Final = "cross_site"
INPUT: Final = "input"
MAIL: Final = "mail"
SERVICE: Final = "service"

ACTIONS: Final[dict[str, Action]] = {
    REGISTER: Action("An account was created.", "user_created", "user_create_fail"),
    USER_CREATE: Action("An account was created by an administrator, a script or an import.", "user_created"),
    IMPERSONATE: Action("An administrator (`actor`) began to act for a user.", "authz_admin", "authz_fail"),
    IMPERSONATE_END: Action("An administrator (`actor`) no longer acts for a user.", "authz_admin"),
    INVITATION: Action(
        "A user accepted an invitation, and set a password.", "authn_password_change", "authn_password_change_fail"
    ),
    LOGIN: Action("A user logged in, by any method.", "authn_login_success", "authn_login_fail"),
    PASSWORD_CHECK: Action("A password was verified, for a login or another action.", "authn_password_check_success"),
    FACTOR_ADD: Action("A second factor was added (`kind`).", "authn_factor_added", "authn_factor_add_fail"),
    FACTOR_REMOVE: Action("A second factor was removed (`kind`).", "authn_factor_removed", "authn_factor_remove_fail"),
    FACTOR_CHECK: Action("A second factor was verified (`kind`).", "authn_factor_check_success"),
    IDENTITY_LINK: Action(
        "An account at a provider was linked: it logs in (`provider`).",
        "authn_identity_linked",
        "authn_identity_link_fail",
    ),
    IDENTITY_UNLINK: Action(
        "An account at a provider was unlinked (`provider`).", "authn_identity_unlinked", "authn_identity_unlink_fail"
    ),
    REAUTHENTICATE: Action(
        "A user proved a factor again in a session (`amr`).", "authn_reauth_success", "authn_reauth_fail"
    ),
    SESSION_START: Action(
        "A session was started: by a login, an administrator who acts for the user, or a client.", "session_created"
    ),
    REFRESH: Action("A refresh token extended a session.", "session_renewed", "session_use_after_expire"),
    REFRESH_REPEATED: Action(
        "A used refresh token came again, before any token of its successor or after an outage of the database: the "
        "same successor was returned.",
        "session_renewed",
    ),
    REFRESH_AHEAD: Action(
        "A genuine refresh token was newer than its session: the database has lost refreshes, as by a failover or a "
        "restored backup. The session was raised to the token.",
        "session_renewed",
    ),
    TOKEN_REUSE: Action("An old refresh token was reused; its session was revoked.", "", "authn_token_reuse"),
    SESSION_END: Action(
        "A session was ended: by a logout, a new password, or the session limit.",
        "authn_token_revoked",
        "malicious_direct_reference",
    ),
    PASSWORD_CHANGE: Action(
        "A password was changed, or reset by mail (`reset`).", "authn_password_change", "authn_password_change_fail"
    ),
    ONE_TIME_TOKEN: Action(
        "A link and a code were requested (`purpose`). Failure: a wrong, used or expired one was submitted.",
        "authn_token_created",
        "sequence_fail",
    ),
    EMAIL_VERIFY: Action("A user verified an email address.", "user_updated"),
    EMAIL_CHANGE: Action("The email address of an account was changed.", "user_updated", "user_update_fail"),
    USER_CHANGE: Action("Fields or the status of an account were changed.", "user_updated"),
    USERS_IMPORT: Action("Users of a file or of another database were imported (`made`, `updated`).", "user_created"),
    ROLE_CHANGE: Action("The roles of a user were changed.", "privilege_permissions_changed"),
    ACCOUNT_CLOSE: Action("An account was closed, but not deleted.", "user_archived", "user_archive_fail"),
    ACCOUNT_DELETE: Action("An account was deleted.", "user_deleted"),
    NEW_DEVICE: Action("A user logged in from a new device.", "authn_login_new_device"),
    RATE_LIMIT: Action("A request was rejected by a rate limit.", "", "excess_rate_limit_exceeded"),
    LOCKOUT: Action("A password was rejected because the account is locked.", "", "authn_login_lock"),
    UNLOCK: Action("A mailed link unlocked an account.", "authn_login_unlock"),
    ACCESS: Action("A request was rejected for missing or insufficient authentication.", "", "authz_fail"),
    CROSS_SITE: Action("A request with cookies was rejected as cross-site.", "", "malicious_csrf"),
    INPUT: Action("A request was rejected as malformed, or for invalid fields.", "", "input_validation_fail"),
    MAIL: Action("A mail was sent (`purpose`), or delivery failed (`reason`).", "mail_send_success", "mail_send_fail"),
    SERVICE: Action("A request was rejected: the database is unavailable, or a queue is full.", "", "sys_unavailable"),
}
