"""A worker process of `test_processes.py`: each line on its input is a task, a URL and an argument."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from asgi_auth import Argon2, Auth, Field, Passwords, Settings, Usernames
from asgi_auth.errors import StorageUnavailableError, ValidationError
from asgi_auth.model.records import Backoff
from asgi_auth.storage import from_url
from asgi_auth.storage.rows import Row
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.statements import schema
from asgi_auth.testing.records import NOW, a_credential, a_session, a_user, at_once
from tests.support import PASSWORD, SECRET

CALLERS = 8


def say(text: object) -> None:
    """Answer the test."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def rotate(storage: SQLStorage, generation: str) -> int:
    """Rotate the same generation with several callers; return how many won."""

    async def call(_: int) -> bool:
        return await storage.rotate_session("session-1", int(generation), now=NOW, idle_since=0) is not None

    return sum(await at_once(call, CALLERS))


async def follow(storage: SQLStorage, generation: str) -> int:
    """Raise the session to the same token ahead with several callers; return how many did."""

    async def call(_: int) -> bool:
        rotated = await storage.rotate_session("session-1", int(generation), now=NOW, idle_since=0, ahead=True)
        return rotated is not None

    return sum(await at_once(call, CALLERS))


async def count(storage: SQLStorage, most: str) -> int:
    """Count many times at once; return how often it was within a limit."""
    counted = await at_once(lambda _: storage.count("ada", NOW, 60), CALLERS)
    return sum(counter.count <= int(most) for counter in counted)


async def attempt(storage: SQLStorage, after: str) -> int:
    """Try many times at once; return how often that was allowed."""
    backoff = Backoff(after=int(after), pause=60, longest=600, memory=86400)
    return (await at_once(lambda _: storage.begin_guess("bob", NOW, backoff), CALLERS)).count(0)


async def migrate(storage: SQLStorage, _: str) -> list[int]:
    """Migrate; return what ran."""
    return await storage.migrate(NOW)


async def hang_in_migration(storage: SQLStorage, _: str) -> None:
    """Stop in the middle of the migration, its transaction open, and wait to be killed."""
    run = Runner.run

    async def stop(self: Runner, statement: str, values: Mapping[str, Any], *, read: bool = False) -> Sequence[Row]:
        if statement == schema.ADD_MIGRATION:
            say("half-way")
            await asyncio.sleep(60)
        return await run(self, statement, values, read=read)

    Runner.run = stop  # type: ignore[method-assign]
    await storage.migrate(NOW)


async def write(storage: SQLStorage, mine: str) -> int:
    """Log in, change and log out as fast as possible; return how many callers were refused."""
    user = a_user(int(mine))
    credential = a_credential(user)
    await storage.add_user(user, credential)

    async def call(number: int) -> int:
        try:
            for turn in range(5):
                session = a_session(user, int(mine) * 10_000 + number * 100 + turn)
                await storage.add_session(session, credential, 3)
                await storage.update_user(user.id, {"data": {"turn": turn}}, NOW)
                await storage.end_sessions(user.id, NOW, only=session.id)
        except StorageUnavailableError:
            return 1
        return 0

    return sum(await at_once(call, CALLERS))


async def change_credential(storage: SQLStorage, version: str) -> int:
    """Change the password of the first user; return how many callers did."""
    credential = a_credential(a_user(), version=int(version))
    changed = await at_once(lambda number: storage.change_credential(credential, data={"step": number}, now=NOW), 8)
    return sum(each is not None for each in changed)


async def delete_credential(storage: SQLStorage, credential_id: str) -> int:
    """Delete a credential of the first user; return how many callers did."""
    deleted = await at_once(lambda _: storage.delete_credential("user-1", credential_id), 8)
    return sum(each is not None for each in deleted)


async def change_token(storage: SQLStorage, token_id: str) -> int:
    """Give a token the first user; return how many callers did."""
    return sum(await at_once(lambda _: storage.change_token(token_id, user_id="user-1", data={}, now=NOW), 8))


async def disable(storage: SQLStorage, user_id: str) -> bool:
    """Disable a user."""
    return await storage.update_user(user_id, {"status": "disabled"}, NOW) is not None


def fields_of(storage: SQLStorage) -> Auth:
    """Make an `Auth` with a unique field."""
    settings = Settings(secret=SECRET, fields=[Field("nick", unique=True), Field("phone", unique=True)])
    return Auth(storage, settings=settings, features=[Passwords(argon2=Argon2.cheap())], now=lambda: NOW)


def names_of(storage: SQLStorage) -> Auth:
    """Make an `Auth` with usernames."""
    features = [Passwords(argon2=Argon2.cheap()), Usernames()]
    return Auth(storage, settings=Settings(secret=SECRET), features=features, now=lambda: NOW)


async def register(storage: SQLStorage, mine: str) -> str:
    """Register users with the same nick at once; return how many had it, and how many were told so."""
    auth = fields_of(storage)

    async def call(number: int) -> str:
        try:
            data: dict[str, Any] = {"nick": "Ada" if number % 2 else "ADA", "phone": f"{mine}{number}"}
            await auth[Passwords].register(email=f"{mine}-{number}@example.com", password=PASSWORD, **data)
        except ValidationError as error:
            return "taken" if error.errors == {"nick": ["This is taken."]} else "refused"
        return "won"

    results = await at_once(call, CALLERS)
    return f"{results.count('won')}/{results.count('taken')}"


async def claim_username(storage: SQLStorage, mine: str) -> str:
    """Register users with the same username at once; return how many had it, and how many were told so."""
    auth = names_of(storage)
    register_by: Any = auth[Passwords].register

    async def call(number: int) -> str:
        name = "Ada" if number % 2 else "ADA"
        try:
            await register_by(email=f"{mine}-{number}@example.com", password=PASSWORD, username=name)
        except ValidationError as error:
            return "taken" if error.errors == {"username": ["This is taken."]} else "refused"
        return "won"

    results = await at_once(call, CALLERS)
    return f"{results.count('won')}/{results.count('taken')}"


async def set_nick(storage: SQLStorage, nick: str) -> str:
    """Give two values to users that exist, all the same ones in two orders; return how many have which."""
    auth = fields_of(storage)
    users = await storage.users(limit=CALLERS)

    async def call(number: int) -> str:
        names = ["nick", "phone"] if number % 2 else ["phone", "nick"]
        try:
            await auth.users.set_data(users[number].id, **dict.fromkeys(names, f"{nick}-{number // 4}"))
        except ValidationError:
            return "taken"
        return "won"

    results = await at_once(call, CALLERS)
    return f"{results.count('won')}/{results.count('taken')}"


async def purge(storage: SQLStorage, _: str) -> int:
    """Purge a few rows at a time, two days later; return how many went."""
    auth = Auth(storage, secret=SECRET, now=lambda: NOW + 2 * 86400)
    auth.purger.batch, auth.purger.pause = 10, 0.01
    return await auth.purger.run()


async def close(storage: SQLStorage, _: str) -> str:
    """Let the database go."""
    await storage.close()
    return "closed"


async def main() -> None:
    """Do one task after another; the first for a URL opens its storage."""
    sessions = (rotate, follow, count, attempt, write, disable, purge)
    features = (change_credential, delete_credential, change_token)
    fields = (register, claim_username, set_nick)
    tasks = {task.__name__: task for task in (*sessions, *features, *fields, migrate, hang_in_migration, close)}
    storages: dict[str, SQLStorage] = {}
    while line := await asyncio.to_thread(sys.stdin.readline):
        task, url, argument = line.split()
        if url not in storages:
            made = from_url(url)
            assert isinstance(made, SQLStorage)
            storages[url] = made
        await storages[url].open()
        say(await tasks[task](storages[url], argument))


if __name__ == "__main__":
    asyncio.run(main())
