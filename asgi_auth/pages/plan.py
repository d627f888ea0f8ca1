"""The pages, their forms, and the page that follows each form.

To add a page, add a line to PAGES, one line to FORMS for each form, and the texts to `texts/*/pages.toml`. A page or a
form is served exactly when its endpoint is served, whatever its feature.
"""

from dataclasses import dataclass

#: In place of a page: the target of `next`, else `after_login`.
ONWARD = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page, served at `path`, by default at the path of its endpoint."""

    name: str
    endpoint: str
    path: str | None = None
    entrance: bool = False
    """Whether a logged-in user is redirected away from the page."""
    links: tuple[str, ...] = ()
    """The pages that are linked below the forms."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form: its endpoint, its page, and the page and the message that follow."""

    endpoint: str
    page: str
    after: str = ONWARD
    said: str = ""
    waits: str = ""
    """The page that follows instead when a mail with a code has been sent."""


PAGES = (
    Page(name="login", endpoint="login", entrance=True, links=("forgot_password", "magic_link", "register")),
    Page(name="register", endpoint="register", entrance=True, links=("login",)),
    Page(name="verify_email", endpoint="verify_email", links=("login",)),
    Page(name="forgot_password", endpoint="forgot_password", links=("login", "request_unlock")),
    Page(name="reset_password", endpoint="reset_password", links=("forgot_password", "login")),
    Page(name="request_unlock", endpoint="request_unlock", links=("forgot_password", "login")),
    Page(name="unlock", endpoint="unlock", links=("request_unlock", "login")),
    Page(name="magic_link", endpoint="magic_link", entrance=True, links=("login",)),
    Page(name="magic_link_login", endpoint="magic_link_login", links=("magic_link", "login")),
    Page(name="confirm_email_change", endpoint="confirm_email_change", links=("account",)),
    Page(name="account", endpoint="me", path="/account"),
)
FORMS = (
    Form(endpoint="login", page="login"),
    Form(endpoint="register", page="register", after="login", said="registered", waits="verify_email"),
    Form(endpoint="verify_email", page="verify_email", after="account", said="email_verified"),
    Form(endpoint="resend_verification", page="verify_email", after="verify_email", said="mail_sent"),
    Form(endpoint="forgot_password", page="forgot_password", after="reset_password", said="mail_sent"),
    Form(endpoint="reset_password", page="reset_password", after="login", said="password_changed"),
    Form(endpoint="request_unlock", page="request_unlock", after="unlock", said="mail_sent"),
    Form(endpoint="unlock", page="unlock", after="login", said="account_unlocked"),
    Form(endpoint="magic_link", page="magic_link", after="magic_link_login", said="mail_sent"),
    Form(endpoint="magic_link_login", page="magic_link_login"),
    Form(endpoint="confirm_email_change", page="confirm_email_change", after="account", said="email_changed"),
    Form(endpoint="update_me", page="account", after="account", said="saved"),
    Form(endpoint="change_email", page="account", after="confirm_email_change", said="mail_sent"),
    Form(endpoint="change_password", page="account", after="account", said="password_changed"),
    Form(endpoint="end_session", page="account", after="account", said="session_ended"),
    Form(endpoint="logout", page="account", after="login", said="logged_out"),
    Form(endpoint="logout_all", page="account", after="login", said="logged_out_everywhere"),
    Form(endpoint="close_account", page="account", after="login", said="account_closed"),
)
#: The messages that the query of a URL may select; pages show no other text from it.
SAID = {form.said for form in FORMS if form.said} | {"login_needed", "fresh_login_required"}
