"""Random sequences of calls, lost answers, failed commits, restarts and waits: the library answers as the model."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, multiple, rule

from asgi_auth import Auth, EmailChange, EmailVerification, PasswordReset, Passwords, Sessions
from asgi_auth.errors import AuthError, RateLimitedError, StorageUnavailableError
from asgi_auth.model.answers import TokenPair
from tests.sessions.model.faults import Fault
from tests.sessions.model.service import PROCESSES, Service
from tests.sessions.model.specification import ACCESS_TTL, DAY, SESSION_TTL, Link, Model, RefusedError, Session

T = TypeVar("T")
ADDRESSES = st.sampled_from(["a", "b", "c"])
PASSWORDS = st.sampled_from(["correct horse battery", "wrong donkey charger"])
PROCESS = st.integers(0, PROCESSES - 1)
FAULTS: st.SearchStrategy[Fault] = st.sampled_from(("", "", "", "lost commit", "lost answer"))
REFRESH_FAULTS: st.SearchStrategy[Fault] = st.sampled_from(("", "", "", "lost commit", "lost answer", "claims"))
WAITS = st.sampled_from(
    [1, 9, 11, 60, 300, ACCESS_TTL - 1, ACCESS_TTL + 60, 3600, DAY - 60, DAY + 1, 2 * DAY, 15 * DAY]
)
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


class Machine(RuleBasedStateMachine):
    """Compares each call of the library with the model's."""

    #: The library; the runs of a machine share it, each with addresses of its own.
    service: ClassVar[Service]
    runs: ClassVar[int] = 0
    steps: ClassVar[int] = 0

    tokens: Bundle[Tokens] = Bundle("tokens")

    @initialize()
    def begin(self) -> None:
        """Begin with addresses that no other run has, and a session."""
        Machine.runs += 1
        clock = self.service.clock
        self.model = Model(int(clock.at), self.service.auths[0].settings.leeway)
        self.links: dict[tuple[str, Any], tuple[Link, str]] = {}
        self.refresh_tokens: dict[tuple[int, int], str] = {}
        self.ids: dict[int, str] = {}
        self.register("a", "correct horse battery", 0)

    # Accounts

    @rule(address=ADDRESSES, password=PASSWORDS, process=PROCESS)
    def register(self, address: str, password: str, process: int) -> None:
        address = self.full(address)
        call = self.auth(process)[Passwords].register(email=address, password=password)
        account, answer = self.both(call, lambda: self.model.register(address, password))
        if account is not None:
            self.ids[id(account)] = answer.user_id
            self.take_mail("verify_email", account)

    @rule(target=tokens, address=ADDRESSES, password=PASSWORDS, process=PROCESS, fault=FAULTS, lost=st.booleans())
    def login(
        self, address: str, password: str, process: int, fault: Fault, *, lost: bool
    ) -> Tokens | MultipleResults[Tokens]:
        self.wait(1)
        address = self.full(address)
        call = self.auth(process)[Passwords].login(email=address, password=password)
        session, pair = self.both(call, lambda: self.model.login(address, password), process, fault)
        return multiple() if session is None or lost else self.handed(session, 0, pair)

    @rule(tokens=tokens, password=PASSWORDS, new=PASSWORDS, process=PROCESS, fault=FAULTS)
    def change_password(self, tokens: Tokens, password: str, new: str, process: int, fault: Fault) -> None:
        identity = self.identity(tokens, process)
        if identity is not None and password != new:
            call = self.auth(process)[Passwords].change_password(
                current_password=password, new_password=new, identity=identity
            )
            self.both(call, lambda: self.model.change_password(tokens.session, password, new), process, fault)

    @rule(address=ADDRESSES, status=st.sampled_from(["disabled", "active"]), process=PROCESS, fault=FAULTS)
    def set_status(self, address: str, status: Any, process: int, fault: Fault) -> None:
        account = self.model.account(self.full(address))
        if account is not None:
            call = self.auth(process).users.set_status(self.ids[id(account)], status)
            self.both(call, lambda: self.model.set_status(account, status), process, fault)

    @rule(address=ADDRESSES, process=PROCESS, fault=FAULTS)
    def delete(self, address: str, process: int, fault: Fault) -> None:
        account = self.model.account(self.full(address))
        if account is not None:
            call = self.auth(process).users.delete(self.ids[id(account)])
            self.both(call, lambda: self.model.delete(account), process, fault)

    # Mails

    @rule(address=ADDRESSES, process=PROCESS)
    def ask_for_reset(self, address: str, process: int) -> None:
        account = self.model.account(self.full(address))
        self.run(self.auth(process)[PasswordReset].forgot_password(email=self.full(address)))
        if account is not None:
            self.take_mail("reset_password", account)

    @rule(tokens=tokens, address=ADDRESSES, process=PROCESS)
    def ask_for_change_of_address(self, tokens: Tokens, address: str, process: int) -> None:
        identity, account = self.identity(tokens, process), tokens.session.account
        if identity is not None and account.address != self.full(address):
            call = self.auth(process)[EmailChange].change_email(
                new_email=self.full(address), password=account.password, identity=identity
            )
            try:
                self.run(call)
            except RateLimitedError:
                return
            self.take_mail("change_email", account, self.full(address))

    @rule(address=ADDRESSES, password=PASSWORDS, process=PROCESS, fault=FAULTS, purpose=st.sampled_from(sorted(TTL)))
    def follow(self, address: str, password: str, process: int, fault: Fault, purpose: str) -> None:
        """Follow the newest link of an account, once more if it was followed before."""
        address = self.full(address)
        found = [item for item in self.links.values() if (item[0].address, item[0].purpose) == (address, purpose)]
        # Five attempts at the password of a link are counted, which is not the model's subject.
        if found and found[-1][0].followed < 4:
            link, token = found[-1]
            link.followed += 1
            call, password = self.following(self.auth(process), link, token, password)
            # The first write of the other links is the count of an attempt.
            fault = fault if purpose == "reset_password" else ""
            self.both(call, lambda: self.model.follow(link, password), process, fault)

    @staticmethod
    def following(auth: Auth, link: Link, token: str, new: str) -> tuple[Coroutine[Any, Any, None], str]:
        """Return the call of a link and the password that goes with it: a new one, or that of the account."""
        if link.purpose == "reset_password":
            return auth[PasswordReset].reset_password(token=token, new_password=new), new
        password = link.account.password
        if link.purpose == "verify_email":
            return auth[EmailVerification].verify_email(token=token, password=password), password
        return auth[EmailChange].confirm_email_change(token=token, password=password), password

    # Sessions

    @rule(target=tokens, tokens=tokens, process=PROCESS, fault=REFRESH_FAULTS, rotate=st.booleans(), lost=st.booleans())
    def refresh(
        self, tokens: Tokens, process: int, fault: Fault, *, rotate: bool, lost: bool
    ) -> Tokens | MultipleResults[Tokens]:
        """Refresh with any token that a client has ever got: the newest, or an old one."""
        session, generation = tokens.session, tokens.generation
        if generation != session.generation and fault == "lost answer":
            fault = "lost commit"  # The first statement of such a refresh changes nothing.
        self.service.events.clear()
        call = self.auth(process).refresh(tokens.refresh, rotate=rotate)
        result, pair = self.both(call, lambda: self.model.refresh(session, generation, rotate=rotate), process, fault)
        if result is None:
            return multiple()
        newest, repeated = result
        assert bool(self.service.events) == repeated
        return multiple() if lost else self.handed(session, newest, pair)

    @rule(tokens=tokens, process=PROCESS)
    def use(self, tokens: Tokens, process: int) -> None:
        self.identity(tokens, process)

    def identity(self, tokens: Tokens, process: int) -> Any:
        """Use an access token."""
        call = self.auth(process).authenticate(tokens.access)
        expected = (tokens.session, tokens.generation, tokens.expires_at)
        _, identity = self.both(call, lambda: self.model.use(*expected))
        return identity

    @rule(tokens=tokens, process=PROCESS, fault=FAULTS)
    def logout(self, tokens: Tokens, process: int, fault: Fault) -> None:
        call = self.auth(process)[Sessions].logout(refresh_token=tokens.refresh)
        self.both(call, lambda: self.model.logout(tokens.session), process, fault)

    # Time and processes

    @rule(seconds=WAITS)
    def wait(self, seconds: int) -> None:
        self.service.clock.move(seconds)
        self.model.now += seconds

    @rule(process=PROCESS)
    def restart(self, process: int) -> None:
        self.service.restart(process)

    # How both are compared

    def both(
        self, call: Coroutine[Any, Any, T], expected: Callable[[], Any], process: int = 0, fault: Fault = ""
    ) -> tuple[Any, T | Any]:
        """Run a call of the library and of the model; return both answers, or None twice after a refusal or a fault.

        After a lost commit nothing happened, after a lost answer all did, and the client knows of neither.
        """
        Machine.steps += 1
        self.service.arm(process, fault)
        answer, refusal = None, None
        try:
            answer = self.run(call)
        except (StorageUnavailableError, ConnectionError):
            if not fault:
                raise
            if fault == "lost answer":
                self.try_model(expected)
            return None, None
        except AuthError as error:
            refusal = "invalid" if error.code in INVALID else error.code
        finally:
            self.service.arm(process, "")
            self.run(self.service.news())
        wanted, wanted_refusal = self.try_model(expected)
        assert refusal == wanted_refusal
        return (None, None) if refusal else (wanted or True, answer)

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
        return Tokens(session, generation, pair.access_token, pair.refresh_token, expires_at)

    def take_mail(self, purpose: str, account: Any, new_address: str = "") -> None:
        """Keep the link of a mail, if one came: how many come is not the model's subject."""
        self.run(self.service.news())
        mails = [mail for mail in self.service.mails if mail.purpose == purpose and mail.token]
        self.service.mails.clear()
        for mail in mails[-1:]:
            link = Link(purpose, account, account.address, self.model.now + TTL[purpose], new_address)
            self.model.links.append(link)
            # Only the newest link of each purpose is followed: which mail voids which is not the model's subject.
            self.links.pop((purpose, id(account)), None)
            self.links[purpose, id(account)] = link, str(mail.token)

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.service.run(call)

    def auth(self, process: int) -> Auth:
        return self.service.auths[process]

    def full(self, address: str) -> str:
        return f"{address}{Machine.runs}@example.com"
