"""The races: what the callers do at once, what else happens meanwhile, and what must hold afterwards."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable

from asgi_auth import Auth, Passwords
from asgi_auth.feature import Credential, Session, new_id
from asgi_auth.features.recovery_codes import feature as recovery
from asgi_auth.features.totp.codes import code_at
from tests.features.factor_races.worker import IN
from tests.features.factor_races.workers import Workers
from tests.support import Clock, register

#: What a caller may be told: the code is wrong or used up, guesses pause or wait, or the login has ended.
REFUSALS = {"invalid_code", "account_locked", "busy", "pending_login_expired", "account_disabled", "factor_exists"}
CODES = ("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", "BBBB-BBBB-BBBB-BBBB-BBBB-BBBB")


class Race:
    """One round: a new user with an app and recovery codes, and callers in all processes."""

    def __init__(self, auth: Auth, clock: Clock, processes: Workers, callers: int) -> None:
        """Take the `Auth` of this process, and the number of callers in each of the others."""
        self.auth, self.clock, self.processes, self.callers = auth, clock, processes, callers
        self.key = secrets.token_bytes(20)
        self.user_id = ""

    async def begin(self, *, factors: bool = True) -> None:
        """Make the user."""
        self.user_id = await register(self.auth, f"{secrets.token_hex(8)}@example.com")
        if factors:
            await self.add_factors()

    async def add_factors(self) -> None:
        """Give the user an app with a new key, and two recovery codes."""
        self.key, app = secrets.token_bytes(20), new_id(self.clock())
        sealed = self.auth.vault.seal(self.key, f"totp {self.user_id} {app}")
        digests = "\n".join(recovery._digest(code) for code in CODES)
        for kind, secret, data in (("totp", sealed, {"step": -1}), ("recovery_codes", digests, {})):
            credential = Credential(
                id=app if kind == "totp" else new_id(self.clock()),
                user_id=self.user_id,
                kind=kind,
                identifier=self.user_id,
                secret=secret,
                data=data,
                created_at=int(self.clock()),
                updated_at=int(self.clock()),
            )
            assert await self.auth.storage.add_credential(credential)

    async def remove_factors(self) -> None:
        """Remove the factors as an administrator does."""
        async with self.auth.storage.transaction() as storage:
            user = await storage.update_user(self.user_id, {}, int(self.clock()))
            assert user is not None
            await self.auth.factors.remove(storage, user, ("totp",))

    async def run(
        self, kind: str, *codes: str, meanwhile: Callable[[], Awaitable[object]] | None = None
    ) -> Counter[str]:
        """Race; return how often each outcome came."""
        task = {"kind": kind, "codes": codes or [self.code()], "user": self.user_id, "at": self.clock()}
        await self.processes.prepare(callers=self.callers, **task)
        outcomes, _ = await asyncio.gather(self.processes.go(), meanwhile() if meanwhile else asyncio.sleep(0))
        assert set(outcomes) <= REFUSALS | {IN}, outcomes
        return outcomes

    def code(self) -> str:
        """The code that the app shows."""
        return code_at(self.key, int(self.clock() // 30))

    async def live(self) -> list[Session]:
        """The live sessions of the user."""
        return await self.auth.storage.sessions(self.user_id, int(self.clock()), 0)


async def one_code_logs_in_once(race: Race) -> None:
    """Of all logins with one code of an app, one gets in."""
    await race.begin()
    outcomes = await race.run("app")
    assert (outcomes[IN], len(await race.live())) == (1, 1), outcomes


async def one_recovery_code_logs_in_once(race: Race) -> None:
    """Of all logins with one recovery code, one gets in, and the other code is left."""
    await race.begin()
    outcomes = await race.run("recovery", CODES[0])
    assert (outcomes[IN], len(await race.live())) == (1, 1), outcomes
    left = await race.auth.storage.credential(race.user_id, "recovery_codes")
    assert left is not None
    assert left.secret == recovery._digest(CODES[1])


async def two_recovery_codes_log_in_twice(race: Race) -> None:
    """Of all logins with two recovery codes, two get in."""
    await race.begin()
    outcomes = await race.run("recovery", *CODES)
    assert (outcomes[IN], len(await race.live())) == (2, 2), outcomes


async def a_reset_between_the_factors_leaves_no_session(race: Race) -> None:
    """A new password meanwhile leaves no session, whichever comes first."""
    await race.begin()
    secret = await race.auth[Passwords].passwords.hasher.hash("another horse battery")

    async def reset() -> None:
        async with race.auth.storage.transaction() as storage:
            await race.auth[Passwords].passwords.replace(storage, race.user_id, secret)
            await storage.end_sessions(race.user_id, int(race.clock()))

    outcomes = await race.run("recovery", *CODES, meanwhile=reset)
    assert (await race.live(), outcomes[IN] <= 2) == ([], True), outcomes


async def a_disabled_user_keeps_no_session(race: Race) -> None:
    """A ban meanwhile leaves no session."""
    await race.begin()
    outcomes = await race.run(
        "recovery", *CODES, meanwhile=lambda: race.auth.users.set_status(race.user_id, "disabled")
    )
    assert (await race.live(), outcomes[IN] <= 2) == ([], True), outcomes


async def a_removed_factor_leaves_no_mfa(race: Race) -> None:
    """The removal of the factors meanwhile leaves no session with `mfa`."""
    await race.begin()
    outcomes = await race.run("recovery", *CODES, meanwhile=race.remove_factors)
    assert [session for session in await race.live() if "mfa" in session.amr] == [], outcomes


async def a_new_key_lets_no_old_code_in(race: Race) -> None:
    """An app that is replaced meanwhile leaves no session with the code of the old one."""
    await race.begin()

    async def replace() -> None:
        await race.remove_factors()
        await race.add_factors()

    outcomes = await race.run("app", meanwhile=replace)
    assert ([session for session in await race.live() if "mfa" in session.amr], outcomes[IN] <= 1) == ([], True)


async def one_setup_ends_one_login(race: Race) -> None:
    """Of all setups in logins of a user without a factor, one adds a factor and gets in; the others are refused."""
    await race.begin(factors=False)
    outcomes = await race.run("setup")
    assert (outcomes[IN], len(await race.live())) == (1, 1), outcomes
    assert len(await race.auth.storage.credentials(race.user_id, "totp")) == 1


async def a_killed_login_needs_a_new_one(race: Race) -> None:
    """A process that is killed after it has used the pending login leaves no session, and a new login gets in."""
    await race.begin()
    task = {"codes": [CODES[0]], "user": race.user_id, "at": race.clock()}
    assert await race.processes.die(kind="recovery", **task) == -9
    assert await race.live() == []
    outcomes = await race.run("recovery", CODES[1])
    assert (outcomes[IN], len(await race.live())) == (1, 1), outcomes


#: All races, and how many rounds of a long run each takes: one in so many.
RACES: dict[Callable[[Race], Awaitable[None]], int] = {
    one_code_logs_in_once: 1,
    one_recovery_code_logs_in_once: 1,
    two_recovery_codes_log_in_twice: 1,
    a_reset_between_the_factors_leaves_no_session: 1,
    a_disabled_user_keeps_no_session: 1,
    a_removed_factor_leaves_no_mfa: 1,
    a_new_key_lets_no_old_code_in: 1,
    one_setup_ends_one_login: 1,
    a_killed_login_needs_a_new_one: 10,
}
