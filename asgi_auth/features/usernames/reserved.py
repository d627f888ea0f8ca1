"""Names that no user can choose: they look like the service itself, or are mailboxes of its domain (RFC 2142)."""

from collections.abc import Collection
from dataclasses import dataclass

from asgi_auth.validation.reasons import FieldError, Reason

RESERVED: frozenset[str] = frozenset({
    "abuse", "account", "accounts", "admin", "administrator", "admins", "anonymous", "api", "app", "auth",
    "billing", "blog", "bot", "contact", "daemon", "deleted", "email", "everyone", "ftp", "guest", "help",
    "helpdesk", "hostmaster", "info", "legal", "localhost", "login", "logout", "mail", "mailer-daemon", "marketing",
    "me", "moderator", "news", "no-reply", "nobody", "noc", "noreply", "notifications", "null", "official", "owner",
    "postmaster", "privacy", "public", "register", "root", "sales", "security", "service", "settings", "signup",
    "staff", "status", "super", "superuser", "support", "sysadmin", "system", "team", "test", "undefined",
    "unknown", "user", "username", "users", "webmaster", "www",
})  # fmt: skip


@dataclass(frozen=True)
class NotReserved:
    """The check of a new name; two with the same names are equal."""

    names: frozenset[str]

    @classmethod
    def of(cls, names: Collection[str]) -> "NotReserved":
        """Take the reserved names, in any case."""
        return cls(frozenset(name.lower() for name in names))

    def __call__(self, name: str) -> None:
        """Raise FieldError for a reserved name."""
        if name.lower() in self.names:
            raise FieldError(Reason("username_reserved", "This name is reserved. Choose another one."))
