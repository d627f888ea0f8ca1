"""Commands about signing keys: `keys create`, `keys list` and `keys rotate`."""

import time
from argparse import ArgumentParser

from asgi_auth.command.command import DONE, Command, Job
from asgi_auth.command.refusals import RefusedError, WrongUseError
from asgi_auth.command.times import shown_time
from asgi_auth.crypto.key_file import StoredKey, read_keys
from asgi_auth.crypto.key_rotation import TooEarlyError, create, next_step, rotate
from asgi_auth.crypto.keys import ALGORITHMS

#: What a step did, for people.
DID = {
    "publish": "Published {kid}. It signs after the next step, in {seconds} seconds at the earliest.",
    "sign": "{kid} signs now. The next step, in {seconds} seconds at the earliest, drops the key before it.",
    "drop": "Dropped the keys that no valid token needs. {kid} signs.",
}


async def make(job: Job) -> int:
    """Create a file with one key."""
    path = job.options.file or _file_of(job)
    key = create(path, job.options.algorithm or "EdDSA", int(time.time()))
    job.output.show({"file": path, "kid": key.kid, "algorithm": key.algorithm}, f"{path}: {key.algorithm} {key.kid}")
    return DONE


async def show(job: Job) -> int:
    """List the keys of the file, and the next step of a rotation."""
    stored, _ = read_keys(job.options.file or _file_of(job))
    step, seconds = next_step(stored, int(time.time()), _life(job))
    lines = [f"{item.role:9}{item.key.algorithm:6} {item.key.kid}  since {shown_time(item.since)}" for item in stored]
    lines.append(f"next step: {step}, " + (f"in {seconds} seconds" if seconds else "now"))
    job.output.show({"keys": _rows(stored), "next": step, "wait": seconds}, "\n".join(lines))
    return DONE


async def turn(job: Job) -> int:
    """Take the next step of a rotation. Raises RefusedError for one that is too early."""
    now, life = int(time.time()), _life(job)
    try:
        step, stored = rotate(job.options.file or _file_of(job), now, life, job.options.algorithm)
    except TooEarlyError as error:
        raise RefusedError(str(error), "too_early", {"step": error.step, "wait": error.seconds}) from error
    kid = next((item.key.kid for item in stored if item.role == "next"), stored[0].key.kid)
    following, seconds = next_step(stored, now, life)
    text = DID[step].format(kid=kid, seconds=seconds)
    job.output.show({"step": step, "keys": _rows(stored), "next": following, "wait": seconds}, text)
    return DONE


def _file_of(job: Job) -> str:
    """Return the file of the settings. Raises WrongUseError without one."""
    if (path := job.target.settings.signing_keys_file) is None:
        raise WrongUseError("name the file, or set signing_keys_file (AUTH_SIGNING_KEYS_FILE)")
    return path


def _life(job: Job) -> int:
    """Return the seconds that the longest access token lives; with a file alone, as `--ttl` says."""
    if job.options.ttl is not None:
        if job.options.ttl < 1:
            raise WrongUseError(f"--ttl {job.options.ttl}: an access token lives for a second or longer")
        return int(job.options.ttl)
    if job.options.file is not None and job.target.app is None:
        raise WrongUseError("with a file alone, say how long access tokens live: --ttl 930 (access_ttl and leeway)")
    if job.target.app is not None:
        # Features such as the authorization server make tokens that live longer than those of users.
        return job.target.auth.revocation.horizon
    settings = job.target.settings
    return settings.access_ttl + 2 * settings.leeway


def _rows(stored: list[StoredKey]) -> list[dict[str, object]]:
    return [
        {"kid": item.key.kid, "algorithm": item.key.algorithm, "role": item.role, "since": item.since}
        for item in stored
    ]


def _file(parser: ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", help="the file of the keys (default: the setting signing_keys_file)")


def _algorithm(parser: ArgumentParser) -> None:
    help_text = "EdDSA (Ed25519), ES256 (P-256) or RS256 (3072 bits)"
    parser.add_argument("--algorithm", choices=ALGORITHMS[1:], help=help_text)


def _ttl(parser: ArgumentParser) -> None:
    parser.add_argument("--ttl", type=int, metavar="seconds", help="how long access tokens live, for a file alone")


def _for_create(parser: ArgumentParser) -> None:
    _file(parser)
    _algorithm(parser)


def _for_list(parser: ArgumentParser) -> None:
    _file(parser)
    _ttl(parser)


def _for_rotate(parser: ArgumentParser) -> None:
    _for_create(parser)
    _ttl(parser)


COMMANDS = (
    Command("keys create", "create a file with one signing key", make, _for_create, alone=True),
    Command("keys list", "list the signing keys, and the next step of a rotation", show, _for_list),
    Command("keys rotate", "take the next step of a rotation: publish, sign or drop", turn, _for_rotate),
)
