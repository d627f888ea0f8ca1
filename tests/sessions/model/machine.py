"""Random sequences of calls, lost answers, failed commits, restarts and waits: the library answers as the model."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, initialize, multiple, rule

from asgi_auth import Auth, EmailChange, EmailVerification, PasswordReset, Passwords, Sessions
from asgi_auth.errors import RateLimitedError
from tests.sessions.model.comparison import TTL, Comparison, Tokens
from tests.sessions.model.faults import Fault
from tests.sessions.model.service import PROCESSES
from tests.sessions.model.specification import (
    ACCESS_TTL,
    DAY,
    Link,
)

T = TypeVar("T")
ADDRESSES = st.sampled_from(["a", "a", "a", "a", "b", "c"])
PASSWORDS = st.sampled_from(["correct horse battery", "wrong donkey charger"])
PROCESS = st.integers(0, PROCESSES - 1)
FAULTS: st.SearchStrategy[Fault] = st.sampled_from(("", "", "", "lost commit", "lost answer"))
REFRESH_FAULTS: st.SearchStrategy[Fault] = st.sampled_from(("", "", "", "lost commit", "lost answer", "claims"))
OFTEN = st.sampled_from([True, True, True, False])
SELDOM = st.sampled_from([False, False, False, True])
STATUSES = st.sampled_from(["active", "active", "disabled"])
RETRIES = st.sampled_from([1, 11, 11, 300, 3600, DAY - 60, DAY + 1, 2 * DAY])
WAITS = st.sampled_from([1, 9, 11, 60, 300, ACCESS_TTL - 1, ACCESS_TTL + 60, 3600, DAY - 60, DAY + 1, 13 * DAY])


class Machine(Comparison):
    """Compares each call of the library with the model's."""

    tokens: Bundle[Tokens] = Bundle("tokens")

    @initialize(target=tokens)
    def begin(self) -> Tokens | MultipleResults[Tokens]:
        """Begin with addresses that no other run has, and a session."""
        self.begin_run()
        self.register("a", "correct horse battery", 0)
        return self.login("a", 0, "", right=True, lost=False)

    # Accounts

    @rule(address=ADDRESSES, password=PASSWORDS, process=PROCESS)
    def register(self, address: str, password: str, process: int) -> None:
        address = self.full(address)
        call = self.auth(process)[Passwords].register(email=address, password=password)
        account, _ = self.both(call, lambda: self.model.register(address, password))
        if account is not None:
            self.take_mail("verify_email", account)

    @rule(target=tokens, address=ADDRESSES, process=PROCESS, fault=FAULTS, right=OFTEN, lost=SELDOM)
    def login(
        self, address: str, process: int, fault: Fault, *, right: bool, lost: bool
    ) -> Tokens | MultipleResults[Tokens]:
        self.wait(1)
        address = self.full(address)
        account = self.model.account(address)
        password = account.password if account is not None and right else "another donkey charger"
        call = self.auth(process)[Passwords].login(email=address, password=password)
        session, pair = self.both(call, lambda: self.model.login(address, password), fault)
        return multiple() if session is None or lost else self.handed(session, 0, pair)

    @rule(tokens=tokens, right=OFTEN, new=PASSWORDS, process=PROCESS, fault=FAULTS)
    def change_password(self, tokens: Tokens, new: str, process: int, fault: Fault, *, right: bool) -> None:
        tokens = self.newest[id(tokens.session)]
        identity = self.identity(tokens, process)
        password = tokens.session.account.password if right else "another donkey charger"
        if identity is not None and password != new:
            call = self.auth(process)[Passwords].change_password(
                current_password=password, new_password=new, identity=identity
            )
            self.both(call, lambda: self.model.change_password(tokens.session, password, new), fault)

    @rule(address=ADDRESSES, status=STATUSES, process=PROCESS, fault=FAULTS)
    def set_status(self, address: str, status: Any, process: int, fault: Fault) -> None:
        account = self.model.account(self.full(address))
        if account is not None:
            call = self.auth(process).users.set_status(self.id_of(account), status)
            self.both(call, lambda: self.model.set_status(account, status), fault)

    @rule(address=ADDRESSES, process=PROCESS, fault=FAULTS, sure=SELDOM)
    def delete(self, address: str, process: int, fault: Fault, *, sure: bool) -> None:
        account = self.model.account(self.full(address))
        if account is not None and sure:
            call = self.auth(process).users.delete(self.id_of(account))
            self.both(call, lambda: self.model.delete(account), fault)

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
            self.both(call, lambda: self.model.follow(link, password), fault)

    @staticmethod
    def following(auth: Auth, link: Link, token: str, new: str) -> tuple[Coroutine[Any, Any, object], str]:
        """Return the call of a link and the password that goes with it: a new one, or that of the account."""
        if link.purpose == "reset_password":
            return auth[PasswordReset].reset_password(token=token, new_password=new), new
        password = link.account.password
        if link.purpose == "verify_email":
            return auth[EmailVerification].verify_email(token=token, password=password), password
        return auth[EmailChange].confirm_email_change(token=token, password=password), password

    # Sessions

    @rule(target=tokens, tokens=tokens, process=PROCESS, fault=REFRESH_FAULTS, rotate=OFTEN, lost=SELDOM, old=SELDOM)
    def refresh(
        self, tokens: Tokens, process: int, fault: Fault, *, rotate: bool, lost: bool, old: bool
    ) -> Tokens | MultipleResults[Tokens]:
        """Refresh with a token that a client has got: the newest of its session, or an old one."""
        tokens = tokens if old else self.newest[id(tokens.session)]
        session, generation = tokens.session, tokens.generation
        if generation != session.generation and fault == "lost answer":
            fault = "lost commit"  # The first statement of such a refresh changes nothing.
        self.service.events.clear()
        call = self.auth(process).refresh(tokens.refresh, rotate=rotate)
        result, pair = self.both(call, lambda: self.model.refresh(session, generation, rotate=rotate), fault)
        if result is None:
            return multiple()
        newest, repeated = result
        assert bool(self.service.events) == repeated
        return multiple() if lost else self.handed(session, newest, pair)

    @rule(tokens=tokens, process=PROCESS)
    def use(self, tokens: Tokens, process: int) -> None:
        self.identity(self.newest[id(tokens.session)], process)
        self.identity(tokens, process)

    def identity(self, tokens: Tokens, process: int) -> Any:
        """Use an access token."""
        call = self.auth(process).authenticate(tokens.access)
        expected = (tokens.session, tokens.generation, tokens.expires_at)
        _, identity = self.both(call, lambda: self.model.use(*expected))
        return identity

    @rule(target=tokens, tokens=tokens, processes=st.tuples(PROCESS, PROCESS), seconds=RETRIES, rotate=OFTEN)
    def lose_the_answer_and_retry(
        self, tokens: Tokens, processes: tuple[int, int], seconds: int, *, rotate: bool
    ) -> Tokens | MultipleResults[Tokens]:
        """Refresh, lose the answer, and come again later."""
        tokens = self.newest[id(tokens.session)]
        self.refresh(tokens, processes[0], "", rotate=True, lost=True, old=True)
        self.wait(seconds)
        return self.refresh(tokens, processes[1], "", rotate=rotate, lost=False, old=True)

    @rule(tokens=tokens, processes=st.tuples(PROCESS, PROCESS), seconds=RETRIES, by_access=st.booleans())
    def use_a_copy(self, tokens: Tokens, processes: tuple[int, int], seconds: int, *, by_access: bool) -> None:
        """Refresh and use one of the new tokens; then a copy of the old refresh token comes."""
        tokens = self.newest[id(tokens.session)]
        newer = self.refresh(tokens, processes[0], "", rotate=True, lost=False, old=True)
        if isinstance(newer, Tokens):
            if by_access:
                self.identity(newer, processes[1])
            else:
                self.refresh(newer, processes[1], "", rotate=False, lost=False, old=True)
            self.wait(seconds)
            self.refresh(tokens, processes[0], "", rotate=True, lost=False, old=True)

    @rule(tokens=tokens, process=PROCESS, fault=FAULTS, sure=SELDOM)
    def logout(self, tokens: Tokens, process: int, fault: Fault, *, sure: bool) -> None:
        if not sure:
            return
        call = self.auth(process)[Sessions].logout(refresh_token=tokens.refresh)
        self.both(call, lambda: self.model.logout(tokens.session), fault)

    # Time and processes

    @rule(seconds=WAITS)
    def wait(self, seconds: int) -> None:
        self.service.clock.move(seconds)
        self.model.now += seconds

    @rule(process=PROCESS)
    def restart(self, process: int) -> None:
        self.service.restart(process)
