"""Commands about secrets: `secret` and `secrets reseal`."""

import secrets

from asgi_auth.command.command import DONE, FOUND, Command, Job

#: Bytes of a new secret.
SIZE = 48


async def secret(job: Job) -> int:
    """Print a new secret."""
    made = secrets.token_urlsafe(SIZE)
    job.output.show({"secret": made}, made)
    return DONE


async def reseal(job: Job) -> int:
    """Seal anew what was sealed with an older secret; 1 if rows are left that no listed secret opens."""
    async with job.started() as auth:
        with job.output.progress("resealed") as progress:
            done = await auth.resealing.run(progress.update)
    lost = f" Rows that no listed secret opens: {done.lost}." if done.lost else ""
    job.output.show(
        {"resealed": done.resealed, "current": done.current, "lost": done.lost},
        f"Sealed anew: {done.resealed}. Sealed with the newest secret before: {done.current}.{lost}",
    )
    return FOUND if done.lost else DONE


COMMANDS = (
    Command("secret", "print a new secret", secret, alone=True),
    Command("secrets reseal", "seal with the newest secret what was sealed with an older one", reseal),
)
