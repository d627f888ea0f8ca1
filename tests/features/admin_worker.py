"""Demotes a user several times at once, in a process of its own: `python -m tests.features.admin_worker URL`.

Reads the access token of the caller and the id of the user, prints a line when it is ready, and begins when it gets
another one. Prints the outcomes. The caller's own id closes the account of the caller.
"""

import asyncio
import sys

from asgi_auth import Account, Admin
from asgi_auth.errors import AuthError
from tests.support import PASSWORD, Clock, cheap, make_auth

CALLS = 4


async def main(url: str) -> None:
    token, user_id = sys.stdin.readline().split()
    async with make_auth(url, clock=Clock(), features=[*cheap(), Admin(second_factor=False)]) as auth:
        identity = await auth.authenticate(token)

        async def demote() -> str:
            try:
                if user_id == identity.id:
                    await auth[Account].close_account(password=PASSWORD, identity=identity)
                    return "closed"
                await auth[Admin].set_user_roles(id=user_id, roles=[], identity=identity)
            except AuthError as error:
                return error.code
            return "demoted"

        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        found = await asyncio.gather(*(demote() for _ in range(CALLS)))
    sys.stdout.write(" ".join(found) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
