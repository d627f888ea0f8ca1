"""What the owner and an administrator do in the one installation that has the account. A stranger must not see it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from asgi_auth.errors import UserNotFoundError
from asgi_auth.feature import PasswordService
from asgi_auth.mail.message import Mail
from asgi_auth.model.records import Client, Status
from tests.security.concealment.installation import Form, Installation
from tests.support import EMAIL, ORIGIN, PASSWORD, Answer

HOME = "198.51.100.7"
BROWSER = [("origin", ORIGIN), ("sec-fetch-site", "same-origin"), ("auth-transport", "cookie")]
Deed = Callable[["Owner"], Awaitable[Any]]


@dataclass
class Owner:
    """The owner, with a password, a device and the mails to the address."""

    installation: Installation
    other: Installation
    password: str = "the owner knows this one"
    cookies: dict[str, str] = field(default_factory=dict)
    access: str = ""
    changes: int = 0

    async def post(self, path: str, body: dict[str, str] | Form, *, browser: bool = False) -> Answer:
        headers = BROWSER if browser else []
        if browser and self.cookies:
            headers = [*headers, ("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))]
        elif self.access and not browser:
            headers = [("authorization", f"Bearer {self.access}")]
        answer = (await self.installation.call("POST", path, body, headers, HOME)).answer
        self.cookies |= {name: value for name, value in answer.cookies.items() if browser and value}
        return answer

    async def is_stranger(self) -> bool:
        """Whether nothing tells the owner from a stranger."""
        return not await self.installation.auth.known_clients.label(EMAIL, Client(address=HOME))

    async def knows_the_password(self) -> bool:
        """Whether there is an account with the owner's password: a login by mail may have disabled it."""
        auth = self.installation.auth
        found = await auth.storage.user_with_credential(EMAIL, "password")
        secret = found[1].secret if found is not None and found[1] is not None else ""
        return bool(secret) and await auth[PasswordService].hasher.verify(secret, self.password)

    async def mailed(self, path: str, **more: str) -> tuple[str, Mail | None]:
        """Ask for a mail; return the request, and the mail if there was one.

        Any third person can ask for mails to any address. So while the owner is a stranger, the other installation gets
        the same request: only what an account makes different is to be hidden.
        """
        self.installation.owner_mails.clear()
        if await self.is_stranger():
            await self.other.call("POST", path, {"email": EMAIL, **more}, [], HOME)
        answer = await self.post(path, {"email": EMAIL, **more})
        mails = self.installation.owner_mails
        request = answer.json.get("request", "") if answer.status == 202 else ""
        return request, mails[-1] if mails else None

    def new_password(self) -> str:
        return f"the owner knows number {self.changed()}"

    def changed(self) -> int:
        """A number for a new password, name or address."""
        self.changes += 1
        return self.changes


async def log_in(owner: Owner, *, browser: bool = False) -> None:
    """Log in with the right password, if there is one: guesses are not what makes an owner."""
    if await owner.knows_the_password():
        answer = await owner.post("/login", {"email": EMAIL, "password": owner.password}, browser=browser)
        if not browser:
            owner.access = answer.json["access_token"] if answer.status == 200 else ""


async def log_in_by_browser(owner: Owner) -> None:
    await log_in(owner, browser=True)


async def reset(owner: Owner) -> None:
    request, mail = await owner.mailed("/forgot-password")
    if mail is not None and mail.token:
        proof = {"token": mail.token} if owner.changes % 2 else {"request": request, "code": mail.code}
        password = owner.new_password()
        answer = await owner.post("/reset-password", {**proof, "new_password": password})
        owner.password = password if answer.status == 204 else owner.password


async def unlock(owner: Owner) -> None:
    _, mail = await owner.mailed("/request-unlock")
    if mail is not None and mail.token:
        await owner.post("/unlock", {"token": mail.token})


async def magic(owner: Owner) -> None:
    _, mail = await owner.mailed("/magic-link")
    if mail is not None and mail.token:
        await owner.post("/magic-link/login", {"token": mail.token})


async def register(owner: Owner) -> None:
    await owner.mailed("/register", password=owner.password)


async def register_and_confirm(owner: Owner) -> None:
    request, mail = await owner.mailed("/register", password=owner.password)
    if mail is not None and mail.code:
        await owner.post("/verify-email", {"request": request, "code": mail.code})


async def verify(owner: Owner) -> None:
    _, mail = await owner.mailed("/resend-verification")
    if mail is not None and mail.token:
        await owner.post("/verify-email", {"token": mail.token, "password": owner.password})


async def log_out(owner: Owner) -> None:
    await owner.post("/logout-all", {})
    owner.access = ""


async def close(owner: Owner) -> None:
    await log_in(owner)
    if owner.access:
        await owner.post("/close-account", {"password": owner.password})


async def change_address(owner: Owner) -> None:
    await log_in(owner)
    if owner.access:
        await owner.post("/change-email", {"new_email": "moved@example.com", "password": owner.password})


def administrator(status: Status) -> Deed:
    async def set_status(owner: Owner) -> None:
        users = owner.installation.auth.users
        try:
            await users.set_status((await users.by_email(EMAIL)).id, status)
        except UserNotFoundError:
            return

    set_status.__name__ = f"administrator_sets_{status}"
    return set_status


async def administrator_deletes(owner: Owner) -> None:
    users = owner.installation.auth.users
    try:
        await users.delete((await users.by_email(EMAIL)).id)
    except UserNotFoundError:
        return


async def administrator_renames(owner: Owner) -> None:
    users = owner.installation.auth.users
    try:
        await users.set_data((await users.by_email(EMAIL)).id, username=f"Countess{owner.changed()}")
    except UserNotFoundError:
        return


async def administrator_moves(owner: Owner) -> None:
    users = owner.installation.auth.users
    try:
        await users.set_email((await users.by_email(EMAIL)).id, f"moved{owner.changed()}@example.com")
    except UserNotFoundError:
        return
    # Both addresses get a mail, which is none of the next call.
    await owner.installation.settle()


#: What counts no guess of the owner.
QUIET: tuple[Deed, ...] = (
    register,
    register_and_confirm,
    log_out,
    administrator("disabled"),
    administrator("active"),
    administrator_deletes,
    administrator_renames,
    administrator_moves,
)
#: What the owner proves by the password or a mail; the limits must treat it apart from the guesses of strangers.
PROVEN: tuple[Deed, ...] = (log_in, log_in_by_browser, reset, unlock, magic, verify, change_address, close)
DEEDS = QUIET + PROVEN
__all__ = ["DEEDS", "HOME", "PASSWORD", "QUIET", "Deed", "Owner", "log_in"]
