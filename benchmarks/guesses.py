"""How many guesses get through under the default limits: `python -m benchmarks.guesses [DATABASE_URL] [PROCESSES]`.

Workload: an attacker with eight processes against one database guesses without pause for an hour of the clock, which
is moved and not waited for: 32 guesses at once every ten seconds, 11,520 in all. First 200 addresses guess at one
account, then one address guesses at 200 accounts, and last 200 addresses guess at as many accounts. What is answered
401 got through; the rest is 429. Then the owner comes: by a session from before, and by the mailed link to unlock.
"""

import asyncio
import logging
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from asgi_auth import Argon2, Auth, Lockout, Outbox, Passwords, RateLimits, Settings, Unlock
from asgi_auth.errors import AuthError
from asgi_auth.features.sessions import Sessions
from asgi_auth.model.records import Client

SECONDS, STEP, AT_ONCE, MANY, START = 3600, 10, 32, 200, 1_800_000_000
PASSWORD = secrets.token_urlsafe(12)
OWNER = Client(address="203.0.113.9")


@dataclass
class Clock:
    """The hour that is played."""

    now: float = START

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


class Attacker:
    """A process of the service; each has an `Auth` of its own on the shared database."""

    loop: asyncio.AbstractEventLoop
    auth: Auth
    clock: Clock

    @classmethod
    def begin(cls, url: str, secret: str) -> None:
        """Start in a worker process."""
        cls.loop, cls.clock = asyncio.new_event_loop(), Clock()
        cls.auth = an_auth(url, secret, cls.clock)
        cls.loop.run_until_complete(cls.auth.start())

    @classmethod
    def guess(cls, now: float, pairs: list[tuple[str, str]]) -> Counter[str]:
        """Guess from addresses at accounts, all at once; count the answers."""
        cls.clock.now = now
        return cls.loop.run_until_complete(cls._all(pairs))

    @classmethod
    async def _all(cls, pairs: list[tuple[str, str]]) -> Counter[str]:
        return Counter(await asyncio.gather(*(answer_to(cls.auth, *pair, "wrong") for pair in pairs)))


def an_auth(url: str, secret: str, clock: Clock) -> Auth:
    """The default limits, with the cheapest hashes: the limits stand before them."""
    logging.getLogger("asgi_auth").setLevel(logging.CRITICAL)  # Every refusal would be a line.
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), RateLimits(), Lockout(), Unlock()]
    settings = Settings(secret=secret, base_url="https://example.com", verification="optional", enumeration="tell")
    return Auth(url, settings=settings, features=features, mailer=Outbox(), now=clock)


async def answer_to(auth: Auth, address: str, email: str, password: str) -> str:
    """Log in; `in`, or the code of the refusal."""
    try:
        await auth[Passwords].login(email=email, password=password, client=Client(address=address))
    except AuthError as error:
        return error.code
    return "in"


def address(number: int) -> str:
    """One of many networks."""
    return f"198.18.{number // 250}.{number % 250 + 1}"


def account(number: int) -> str:
    """One of many accounts."""
    return f"user{number}@example.com"


PATTERNS: dict[str, Callable[[int], tuple[str, str]]] = {
    "200 addresses, one account": lambda number: (address(number % MANY), account(0)),
    "one address, 200 accounts": lambda number: (address(999), account(number % MANY)),
    "200 addresses, 200 accounts": lambda number: (address(number % MANY), account(number * 7 % MANY)),
}


async def owner_comes(url: str, secret: str, refresh_token: str, now: float) -> list[str]:
    """What the owner of the account under attack is answered, in this order."""
    auth = an_auth(url, secret, Clock(now))
    async with auth:
        went_on = "goes on" if (await auth.refresh(refresh_token, OWNER)).access_token else "ended"
        direct = await answer_to(auth, OWNER.address, account(0), PASSWORD)
        await auth[Unlock].request_unlock(email=account(0), client=OWNER)
        mail = await auth.mail.mailer.next("unlock")  # type: ignore[union-attr]  # an Outbox
        await auth[Unlock].unlock(token=mail.token, client=OWNER)
        return [went_on, direct, await answer_to(auth, OWNER.address, account(0), PASSWORD)]


async def registered(url: str, secret: str) -> str:
    """Make the owner's account and log in; return the refresh token."""
    async with an_auth(url, secret, Clock()) as auth:
        await auth[Passwords].register(email=account(0), password=PASSWORD, client=OWNER)
        pair = await auth[Passwords].login(email=account(0), password=PASSWORD, client=OWNER)
        return str(pair.refresh_token)


def attack(pool: ProcessPoolExecutor, start: float, pattern: Callable[[int], tuple[str, str]]) -> Counter[str]:
    """Play an hour; every step's guesses are spread over the processes."""
    counted: Counter[str] = Counter()
    for step in range(SECONDS // STEP):
        pairs = [pattern(step * AT_ONCE + number) for number in range(AT_ONCE)]
        calls = [
            pool.submit(Attacker.guess, start + step * STEP, pairs[part : part + 4]) for part in range(0, AT_ONCE, 4)
        ]
        for call in calls:
            counted += call.result()
    return counted


def main(url: str, processes: int = 8) -> None:
    """Print what got through."""
    secret = secrets.token_urlsafe(48)
    token = asyncio.run(registered(url, secret))
    print("| an hour of | guesses | got through | refused |\n|---|---|---|---|")
    with ProcessPoolExecutor(processes, initializer=Attacker.begin, initargs=(url, secret)) as pool:
        for number, (name, pattern) in enumerate(PATTERNS.items()):
            start = START + number * 2 * 86400
            counted = attack(pool, start, pattern)
            through, total = counted["invalid_credentials"], counted.total()
            print(f"| {name} | {total:,} | {through:,} | {total - through:,} |", flush=True)
            if number == 0:
                came = asyncio.run(owner_comes(url, secret, token, start + SECONDS - STEP))
    print("\nThe owner, after the first: session {}; password alone {}; after the mailed link {}.".format(*came))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{Path(folder) / 'guesses.db'}", *map(int, sys.argv[2:3]))
