"""Compares a call of the library with the same call of the model."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from asgi_auth import Auth
from asgi_auth.errors import AuthError, StorageUnavailableError
from asgi_auth.model.answers import TokenPair
from tests.sessions.model.faults import Fault
from tests.sessions.model.service import Service
from tests.sessions.model.specification import (
    ACCESS_TTL,
    DAY,
    SESSION_IDLE,
    SESSION_TTL,
    Account,
    Link,
    Model,
    RefusedError,
    Session,
)

T = TypeVar("T")
TTL = {"verify_email": DAY, "reset_password": 900, "change_email": 3600}
#: Codes of the library that the model does not tell apart.
INVALID = {"invalid_one_time_token", "invalid_reset_token", "invalid_verification_token"}


@dataclass(frozen=True)
class Tokens:
    """What a client holds: an access token and a refresh token of one generation."""

    session: Session
    generation: int
    access: str
    refresh: str
    expires_at: int


class Comparison(RuleBasedStateMachine):
    """What the rules share: both worlds, and how they are compared."""

    #: The library; the runs of a machine share it, each with addresses of its own.
    service: ClassVar[Service]
    runs: ClassVar[int] = 0
    steps: ClassVar[int] = 0

    def begin_run(self) -> None:
        """Begin with addresses that no other run has."""
        Comparison.runs += 1
        # What a run that ended early has left would make the next one depend on it.
        self.run(self.service.news())
        self.service.mails.clear()
        self.service.events.clear()
        clock = self.service.clock
        # At the beginning of a day, so that a sequence can be repeated: some windows depend on the time of day.
        clock.at = (clock.at // DAY + 1) * DAY
        self.model = Model(int(clock.at), self.service.auths[0].settings.leeway)
        self.links: dict[tuple[str, Any], tuple[Link, str]] = {}
        self.refresh_tokens: dict[tuple[int, int], str] = {}
        self.newest: dict[int, Tokens] = {}

    def both(self, call: Coroutine[Any, Any, T], expected: Callable[[], Any], fault: Fault = "") -> tuple[Any, T | Any]:
        """Run a call of the library and of the model; return both answers, or None twice after a refusal or a fault.

        After a lost commit nothing happened, after a lost answer all did, and the client knows of neither.
        """
        Comparison.steps += 1
        answer, refusal = None, None
        try:
            answer = self.service.run_with(fault, call)
        except (StorageUnavailableError, ConnectionError):
            if not fault:
                raise
            if fault == "lost answer":
                self.try_model(expected)
            return None, None
        except AuthError as error:
            refusal = "invalid" if error.code in INVALID else error.code
        finally:
            self.run(self.service.news())
        wanted, wanted_refusal = self.try_model(expected)
        assert refusal == wanted_refusal
        self.compare_state()
        return (None, None) if refusal else (wanted or True, answer)

    def compare_state(self) -> None:
        """Compare the accounts, and the sessions that each user sees."""
        model, storage = self.model, self.auth(0).storage
        for account in model.accounts:
            user = self.run(storage.user_by_email(str(account.address)))
            assert user is not None
            assert (user.email_verified, user.status) == (account.verified, account.status)
            listed = self.run(storage.sessions(user.id, model.now, model.now - SESSION_IDLE))
            known = [item for item in model.live(account) if model.now - item.used_at < SESSION_IDLE]
            assert sorted(item.created_at for item in listed) == [item.began_at for item in known]

    @staticmethod
    def try_model(expected: Callable[[], Any]) -> tuple[Any, str | None]:
        """Run a call of the model; return its answer and its refusal."""
        try:
            return expected(), None
        except RefusedError as refused:
            return None, str(refused)

    def handed(self, session: Session, generation: int, pair: TokenPair) -> Tokens:
        """Give a client its tokens. All refresh tokens of a generation are the same text."""
        kept = self.refresh_tokens.setdefault((id(session), generation), pair.refresh_token)
        assert kept == pair.refresh_token
        assert list(self.refresh_tokens.values()).count(kept) == 1
        expires_at = min(self.model.now + ACCESS_TTL, session.began_at + SESSION_TTL)
        assert pair.expires_in == expires_at - self.model.now
        tokens = Tokens(session, generation, pair.access_token, pair.refresh_token, expires_at)
        self.newest[id(session)] = tokens
        return tokens

    def take_mail(self, purpose: str, account: Account, new_address: str = "") -> None:
        """Keep the link of a mail, if one came: how many come is not the model's subject."""
        self.run(self.service.news())
        mails = [mail for mail in self.service.mails if mail.purpose == purpose and mail.token]
        self.service.mails.clear()
        for mail in mails[-1:]:
            link = Link(purpose, account, str(account.address), self.model.now + TTL[purpose], new_address)
            self.model.links.append(link)
            # Only the newest link of each purpose is followed: which mail voids which is not the model's subject.
            self.links.pop((purpose, id(account)), None)
            self.links[purpose, id(account)] = link, str(mail.token)

    def id_of(self, account: Account) -> str:
        """Return the id of an account's user."""
        return self.run(self.auth(0).users.by_email(str(account.address))).id

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.service.run(call)

    def auth(self, process: int) -> Auth:
        return self.service.auths[process]

    def full(self, address: str) -> str:
        return f"{address}{Comparison.runs}@example.com"
