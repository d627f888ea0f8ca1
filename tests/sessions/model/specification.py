"""Accounts and sessions as they shall be, without storage, processes, hashes and signatures: the specification.

Each method is a call of a client. It changes the model, and raises `RefusedError` with the code of the library's error.
"""

from dataclasses import dataclass, field

MINUTE, DAY = 60, 86400
ACCESS_TTL = 15 * MINUTE
SESSION_TTL = 30 * DAY
SESSION_IDLE = 14 * DAY
GRACE = 10
REPEATABLE = DAY
MAX_SESSIONS = 3


class RefusedError(Exception):
    """A refusal, with its code."""


@dataclass(eq=False)
class Account:
    """An account; `address` is None after a deletion."""

    address: str | None
    password: str
    verified: bool = False
    status: str = "active"


@dataclass(eq=False)
class Session:
    """A login. Its tokens have a generation: the number of refreshes before them."""

    account: Account
    began_at: int
    used_at: int
    rotated_at: int
    generation: int = 0
    #: The newest generation of which the library has seen a token since it gave it.
    seen: int = 0
    ended: bool = False


@dataclass(eq=False)
class Link:
    """The link of a mail: it works once, until it expires, for the account as it was when the mail was asked for."""

    purpose: str
    account: Account
    address: str
    expires_at: int
    new_address: str = ""
    void: bool = False
    followed: int = 0


@dataclass(eq=False)
class Model:
    """All accounts, sessions and links, and the clock. `leeway` is the setting, in seconds."""

    now: int
    leeway: int
    accounts: list[Account] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    # Refresh

    def refresh(self, session: Session, generation: int, *, rotate: bool = True) -> tuple[int, bool]:
        """Return the generation of the new tokens, and whether this is a late repetition."""
        if session.ended:
            raise RefusedError("token_revoked")
        if self.is_over(session) or self.now - session.used_at >= SESSION_IDLE:
            raise RefusedError("token_expired")
        behind = session.generation - generation
        if behind == 0:
            session.seen = generation
            session.used_at = self.now
            if rotate:
                session.generation += 1
                session.rotated_at = self.now
            return session.generation, False
        age = self.now - session.rotated_at
        if behind == 1 and age <= GRACE:
            return session.generation, False
        if behind == 1 and session.seen < session.generation:
            if age > REPEATABLE:
                raise RefusedError("token_expired")
            return session.generation, True
        session.ended = True
        raise RefusedError("token_reuse")

    def use(self, session: Session, generation: int, expires_at: int) -> None:
        """Use an access token."""
        if self.now >= expires_at + self.leeway:
            raise RefusedError("token_expired")
        if session.ended or session.account.status != "active":
            raise RefusedError("token_revoked")
        session.seen = max(session.seen, generation)

    # Sessions

    def login(self, address: str, password: str) -> Session:
        """Log in. The oldest session above the limit ends."""
        account = self.account(address)
        if account is None or account.password != password:
            raise RefusedError("invalid_credentials")
        if account.status != "active":
            raise RefusedError("account_disabled")
        session = Session(account, self.now, self.now, self.now)
        self.sessions.append(session)
        for old in self.live(account)[:-MAX_SESSIONS]:
            old.ended = True
        return session

    def logout(self, session: Session) -> None:
        """End a session by its refresh token, whatever its generation."""
        session.ended = True

    def end_all(self, account: Account, *, keep: Session | None = None) -> None:
        """End the sessions of an account, but not the one to keep."""
        for session in self.sessions:
            if session.account is account and session is not keep:
                session.ended = True

    # Accounts

    def register(self, address: str, password: str) -> Account:
        """Make an account."""
        if self.account(address) is not None:
            raise RefusedError("user_exists")
        account = Account(address, password)
        self.accounts.append(account)
        return account

    def change_password(self, session: Session, password: str, new: str) -> None:
        """Change the password: all other sessions end, and all links of the account are void."""
        account = session.account
        if account.password != password:
            raise RefusedError("invalid_credentials")
        account.password = new
        self.end_all(account, keep=session)
        self.void(account)

    def set_status(self, account: Account, status: str) -> None:
        """Disable or enable: sessions and links that ended do not come back."""
        account.status = status
        if status != "active":
            self.end_all(account)
            self.void(account)

    def delete(self, account: Account) -> None:
        """Delete an account: nothing of it works any more."""
        self.accounts.remove(account)
        self.void(account)
        account.address = None
        self.end_all(account)

    def move(self, account: Account, address: str) -> bool:
        """Change the address without the library: links are for the address that they were sent to."""
        account.address = address
        return True

    # Links of mails

    def follow(self, link: Link, password: str) -> None:
        """Use a link; `password` is the new one for a reset, and that of the account for the others."""
        account = link.account
        good = not link.void and self.now < link.expires_at
        if not good or account.status != "active" or account.address != link.address:
            raise RefusedError("invalid")
        if link.purpose == "reset_password":
            account.password, account.verified = password, True
            self.end_all(account)
        elif account.password != password:
            raise RefusedError("password")
        elif link.purpose == "verify_email":
            account.verified = True
            self.end_all(account)
        elif self.account(link.new_address) is not None:
            raise RefusedError("invalid")
        else:
            account.address, account.verified = link.new_address, True
        self.void(account)

    # What the methods share

    def account(self, address: str) -> Account | None:
        """Return the account of an address."""
        return next((account for account in self.accounts if account.address == address), None)

    def is_over(self, session: Session) -> bool:
        """Tell whether the session has reached its greatest age."""
        return self.left(session) <= 0

    def left(self, session: Session) -> int:
        """Return the seconds until the session has reached its greatest age."""
        return session.began_at + SESSION_TTL - self.now

    def live(self, account: Account) -> list[Session]:
        """Return the live sessions of an account, the oldest first."""
        return [item for item in self.sessions if item.account is account and not item.ended and not self.is_over(item)]

    def void(self, account: Account) -> None:
        """Void all links of an account."""
        for link in self.links:
            link.void = link.void or link.account is account
