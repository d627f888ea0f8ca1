"""Situations that single random calls seldom make: an old session, a race of a login, and a change by the host."""

from typing import Any

from hypothesis.stateful import rule

from asgi_auth import Passwords
from tests.sessions.model.comparison import Tokens
from tests.sessions.model.machine import ADDRESSES, PASSWORDS, PROCESS, SELDOM, Machine
from tests.sessions.model.specification import DAY


class Situations(Machine):
    """The machine with rules of several calls."""

    @rule(tokens=Machine.tokens, process=PROCESS, sure=SELDOM)
    def grow_old(self, tokens: Tokens, process: int, *, sure: bool) -> None:
        """Refresh a session again and again, until a second before its greatest age, and after it."""
        session = tokens.session
        while sure:
            newer = self.refresh(self.newest[id(session)], process, "", rotate=True, lost=False, old=True)
            if not isinstance(newer, Tokens):
                return
            left = self.model.left(session)
            # In the leeway after its end, a process that asks the database refuses what another one still takes.
            self.wait(min(13 * DAY, left - 1) if left > 1 else 1 + self.model.leeway)

    @rule(tokens=Machine.tokens, new=PASSWORDS, first=PROCESS, second=PROCESS)
    def change_the_password_beside_another_session(self, tokens: Tokens, new: str, first: int, second: int) -> None:
        address = tokens.session.account.address
        if address is not None:
            newer = self.login(address[0], first, "", right=True, lost=False)
            if isinstance(newer, Tokens):
                self.change_password(newer, new, second, "", right=True)

    @rule(address=ADDRESSES, new=PASSWORDS, first=PROCESS, second=PROCESS)
    def change_the_password_during_a_login(self, address: str, new: str, first: int, second: int) -> None:
        """Change the password after the old one was verified, and before there is a session."""
        held = self.login(address, second, "", right=True, lost=False)
        if not isinstance(held, Tokens) or held.session.account.password == new:
            return
        self.wait(1)
        account, old = held.session.account, held.session.account.password
        identity = self.identity(held, second)

        async def change() -> None:
            await self.auth(second)[Passwords].change_password(
                current_password=old, new_password=new, identity=identity
            )

        async def login() -> Any:
            with self.service.after_verify(first, change):
                return await self.auth(first)[Passwords].login(email=str(account.address), password=old)

        def expected() -> Any:
            self.model.change_password(held.session, old, new)
            return self.model.login(str(account.address), old)

        self.both(login(), expected)

    @rule(address=ADDRESSES, new=ADDRESSES, password=PASSWORDS, process=PROCESS)
    def host_moves_the_account(self, address: str, new: str, password: str, process: int) -> None:
        """The host writes another address into its table: a mailed link is for the address that it was sent to."""
        account = self.model.account(self.full(address))
        if account is not None and self.model.account(self.full(new)) is None:
            self.ask_for_reset(address, process)
            changes = {"email": self.full(new), "email_canonical": self.full(new)}
            call = self.auth(process).storage.update_user(self.id_of(account), changes, int(self.service.clock()))
            self.both(call, lambda: self.model.move(account, self.full(new)))
            self.follow(address, password, process, "", "reset_password")
