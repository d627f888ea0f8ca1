"""What can happen, by action; each outcome has its code of the OWASP Logging Vocabulary.

Features hear of it through `Feature.observe`, hosts through `auth.on`. A code that the vocabulary lacks is made in its
manner.
"""

from typing import Final, Literal, NamedTuple

Outcome = Literal["success", "failure"]


class Action(NamedTuple):
    """What an event tells, and the codes of its outcomes; an outcome without a code doesn't happen."""

    meaning: str
    success: str = ""
    failure: str = ""

    @property
    def usual(self) -> Outcome:
        """The outcome that is meant when none is named."""
        return "success" if self.success else "failure"


REGISTER: Final = "register"
LOGIN: Final = "login"
PASSWORD_CHECK: Final = "password_check"
SESSION_START: Final = "session_start"
REFRESH: Final = "refresh"
TOKEN_REUSE: Final = "token_reuse"
SESSION_END: Final = "session_end"
PASSWORD_CHANGE: Final = "password_change"
ONE_TIME_TOKEN: Final = "one_time_token"
EMAIL_VERIFY: Final = "email_verify"
EMAIL_CHANGE: Final = "email_change"
USER_CHANGE: Final = "user_change"
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

ACTIONS: Final = {
    REGISTER: Action("An account is made.", "user_created", "user_create_fail"),
    LOGIN: Action("Somebody logs in, in whichever way.", "authn_login_success", "authn_login_fail"),
    PASSWORD_CHECK: Action("A password was right, whatever it was asked for.", "authn_password_check_success"),
    SESSION_START: Action("A login has made a session.", "session_created"),
    REFRESH: Action("A session goes on by its refresh token.", "session_renewed", "session_use_after_expire"),
    TOKEN_REUSE: Action("A refresh token came back after its time; its session ended.", "", "authn_token_reuse"),
    SESSION_END: Action(
        "A session ends: logout, a new password, too many.", "authn_token_revoked", "malicious_direct_reference"
    ),
    PASSWORD_CHANGE: Action(
        "A password is changed, or reset by mail (`reset`).", "authn_password_change", "authn_password_change_fail"
    ),
    ONE_TIME_TOKEN: Action(
        "A link and code were asked for (`purpose`); failed: what was shown is wrong, used or too old.",
        "authn_token_created",
        "sequence_fail",
    ),
    EMAIL_VERIFY: Action("An address was shown to be the user's.", "user_updated"),
    EMAIL_CHANGE: Action("An account moves to another address.", "user_updated", "user_update_fail"),
    USER_CHANGE: Action("Fields or status of an account change.", "user_updated"),
    ROLE_CHANGE: Action("The roles of a user change.", "privilege_permissions_changed"),
    ACCOUNT_CLOSE: Action("An account is closed, and kept.", "user_archived", "user_archive_fail"),
    ACCOUNT_DELETE: Action("An account is deleted.", "user_deleted"),
    NEW_DEVICE: Action("A login from a device not seen before.", "authn_login_new_device"),
    RATE_LIMIT: Action("A limit refuses a call.", "", "excess_rate_limit_exceeded"),
    LOCKOUT: Action("A locked account refuses a password.", "", "authn_login_lock"),
    UNLOCK: Action("A mailed link opens a locked account.", "authn_login_unlock"),
    ACCESS: Action("A route of ours wants a login, or another one; bad tokens too.", "", "authz_fail"),
    CROSS_SITE: Action("A request with cookies came from another site's page.", "", "malicious_csrf"),
    INPUT: Action("A request couldn't be read, or fields are wrong.", "", "input_validation_fail"),
    MAIL: Action("A mail is sent (`purpose`), or given up (`reason`).", "mail_send_success", "mail_send_fail"),
    SERVICE: Action("The database is away, or too much waits.", "", "sys_unavailable"),
}
