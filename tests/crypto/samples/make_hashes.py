"""Makes `hashes.json`, by the code of the systems themselves; README.md says what must be installed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

PASSWORD = "correct horse bättery ✓"
PASSLIB = """
import json, sys, warnings
warnings.simplefilter("ignore")
import passlib
from passlib import hash as hashes
costs = {"argon2": {}, "pbkdf2_sha256": {}, "pbkdf2_sha512": {}, "pbkdf2_sha1": {"rounds": 20000}}
costs |= {"scrypt": {"rounds": 12}, "bcrypt": {"rounds": 6}, "bcrypt_sha256": {"rounds": 6}}
costs["bcrypt_sha256 version 1"] = {"rounds": 6, "version": 1}
made = {}
for name, cost in costs.items():
    try:
        made[name] = getattr(hashes, name.partition(" ")[0]).using(**cost).hash(sys.argv[1])
    except ValueError as error:  # passlib does not know the newest bcrypt
        print(name, error, file=sys.stderr)
print(json.dumps([passlib.__version__, made]))
"""


def output(*command: str, **environment: str) -> str:
    """What a program prints."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | environment)
    return done.stdout


def of_bcrypt() -> Iterator[tuple[str, str]]:
    """Both prefixes of bcrypt."""
    import bcrypt

    for prefix in (b"2b", b"2a"):
        salt = bcrypt.gensalt(6, prefix=prefix)
        yield f"bcrypt {version('bcrypt')}, ${prefix.decode()}$", bcrypt.hashpw(PASSWORD.encode(), salt).decode()


def of_php() -> Iterator[tuple[str, str]]:
    """PHP's function, with both algorithms."""
    number = output("php", "-r", "echo PHP_VERSION;")
    for kind, options in (("bcrypt", "PASSWORD_BCRYPT, ['cost' => 6]"), ("Argon2id", "PASSWORD_ARGON2ID")):
        made = output("php", "-r", f"echo password_hash($argv[1], {options});", PASSWORD)
        yield f"PHP {number} password_hash, {kind}", made


def of_django() -> Iterator[tuple[str, str]]:
    """All hashers of Django."""
    import django
    from django.conf import settings
    from django.contrib.auth import hashers

    settings.configure()
    django.setup()
    for name in ("PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "BCrypt", "Scrypt"):
        hasher: Any = getattr(hashers, f"{name}PasswordHasher")()
        if hasattr(hasher, "rounds"):
            hasher.rounds = 6
        cost = {"iterations": 20_000} if hasattr(hasher, "iterations") else {}
        yield f"Django {version('django')} {hasher.algorithm}", hasher.encode(PASSWORD, hasher.salt(), **cost)


def of_werkzeug_and_pwdlib() -> Iterator[tuple[str, str]]:
    """The hashes of Flask and of fastapi-users."""
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher
    from pwdlib.hashers.bcrypt import BcryptHasher
    from werkzeug.security import generate_password_hash

    for method in ("scrypt", "pbkdf2:sha256:20000", "pbkdf2:sha512:20000", "pbkdf2:sha1:20000"):
        yield f"werkzeug {version('werkzeug')} {method}", generate_password_hash(PASSWORD, method)
    yield f"pwdlib {version('pwdlib')} argon2", PasswordHash((Argon2Hasher(),)).hash(PASSWORD)
    yield f"pwdlib {version('pwdlib')} bcrypt", PasswordHash((BcryptHasher(rounds=6),)).hash(PASSWORD)


def of_passlib(libpass: str) -> Iterator[tuple[str, str]]:
    """The hashes of passlib, and of its fork in a folder."""
    for name, environment in (("passlib", {}), ("libpass", {"PYTHONPATH": libpass})):
        number, made = json.loads(output(sys.executable, "-c", PASSLIB, PASSWORD, **environment))
        yield from ((f"{name} {number} {kind}", text) for kind, text in made.items())


def main() -> None:
    """Print all samples as JSON."""
    script = str(Path(__file__).with_suffix(".mjs"))
    made = [*of_bcrypt(), *of_php(), *json.loads(output("node", script, PASSWORD)), *of_django()]
    made += [*of_werkzeug_and_pwdlib(), *of_passlib(sys.argv[1])]
    samples = [{"system": system, "hash": text} for system, text in made]
    json.dump({"password": PASSWORD, "samples": samples}, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
