"""Passwords: register, log in, change the password."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from asgi_auth.accounts.passwords import KIND, PasswordService
from asgi_auth.accounts.registration import RegistrationService, new_user
from asgi_auth.auth import Auth
from asgi_auth.crypto.argon2 import Argon2, PasswordHasher
from asgi_auth.errors import (
    BusyError,
    ForbiddenError,
    InvalidCredentialsError,
    PasswordPolicyError,
    SecondFactorSetupRequiredError,
    StorageUnavailableError,
    UserExistsError,
)
from asgi_auth.feature import (
    Call,
    Client,
    Email,
    Endpoint,
    Feature,
    Form,
    Grant,
    Identity,
    Page,
    Requested,
    Secret,
    Section,
    TokenPair,
    User,
    UserInfo,
    post,
)
from asgi_auth.limits.rules import is_guess
from asgi_auth.model import event_types as events
from asgi_auth.model.registration import Registration
from asgi_auth.runtime.attach import check_packages
from asgi_auth.sources.kinds import checks_options
from asgi_auth.storage import Storage
from asgi_auth.validation.email_address import parse_email
from asgi_auth.validation.numbers import check_whole
from asgi_auth.validation.password_policy import PasswordPolicy

#: The greatest number of threads that hash, and of calls that wait for one.
MOST_HASHES = 10_000


class Passwords(Feature):
    """Accounts with email address and password.

    `policy` holds for new passwords; `argon2` is the cost of their hashes. `workers` threads compute the hashes
    (default: one for each CPU), at the nice value `niceness` (Linux; 0 does not change the priority). When `queue`
    further calls wait (default: 16 for each thread), the answer is 503. `login_after_register` returns tokens with the
    registration. `import_hashes` verifies hashes of other systems as well, such as bcrypt's, and replaces each at the
    first login (the extra `import`).
    """

    room: ClassVar[Path | None] = Path(__file__).parent
    pages: ClassVar[Sequence[Page]] = (
        Page(name="login", endpoint="login", entrance=True, links=("magic_link", "register")),
        Page(name="set_password", endpoint="set_password", login=True, links=("account",)),
        Page(name="register", endpoint="register", entrance=True, links=("login",)),
    )
    forms: ClassVar[Sequence[Form]] = (
        Form(endpoint="login", page="login", asides={"password": "forgot_password"}),
        Form(endpoint="register", page="register", after="login", said="registered", waits="verify_email"),
        Form(endpoint="reauthenticate", page="reauthenticate", credential=KIND),
        Form(endpoint="set_password", page="set_password", after="account", said="password_changed"),
        Form(endpoint="change_password", page="account", after="account", said="password_changed", credential=KIND),
    )
    reauthenticates: ClassVar[Mapping[str, str]] = {KIND: "password"}
    sections: ClassVar[Sequence[Section]] = (
        Section(name="change_password", endpoint="change_password", order=30, group="ways"),
    )

    @checks_options
    def __init__(
        self,
        *,
        policy: PasswordPolicy | None = None,
        argon2: Argon2 | None = None,
        workers: int | None = None,
        queue: int | None = None,
        niceness: int = 10,
        login_after_register: bool = False,
        import_hashes: bool = False,
    ) -> None:
        """Take the settings. Raises ValueError for a number that is not whole, or out of bounds."""
        self.policy: PasswordPolicy = policy or PasswordPolicy()
        check_whole(0, 19, niceness=niceness)
        check_whole(1, MOST_HASHES, workers=1 if workers is None else workers)
        check_whole(0, MOST_HASHES, queue=0 if queue is None else queue)
        if import_hashes:
            check_packages("Passwords(import_hashes=True)", {"bcrypt": "import", "cryptography": "import"})
        self._hasher = PasswordHasher(argon2 or Argon2(), workers, queue, niceness, foreign=import_hashes)
        self.login_after_register = login_after_register

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`, and make the service that other features use."""
        super().attach(auth)
        self.passwords: PasswordService = PasswordService(
            self.policy, self._hasher, auth.storage, auth.stream, auth.now, auth.pipeline.admission.prove
        )

    def takes_part(self, endpoint: Endpoint) -> bool:
        """Tell whether an endpoint takes a password."""
        return endpoint.guesses == "password"

    async def before(self, call: Call) -> None:
        """Refuse a password that cannot be checked in time before any work is done for it."""
        if self._hasher.is_full and is_guess(call):
            self._hasher.check_room()

    @property
    def services(self) -> tuple[PasswordService]:
        """The password service."""
        return (self.passwords,)

    @property
    def grants(self) -> Mapping[str, Grant]:
        """The resource owner password credentials grant (RFC 6749, section 4.3)."""
        return {"password": Grant(("username", "password"), self._grant)}

    @post(
        "/register",
        status=201,
        logs_in=True,
        limits="60/m/ip, 300/h/ip",
        event=events.REGISTER,
        errors=(UserExistsError, PasswordPolicyError, BusyError),
        also=(Requested,),
    )
    async def register(
        self, *, email: Email, password: Secret, client: Client = Client(), **data: object
    ) -> Registration:
        """Register an account. Returns 202 and sends a confirmation mail, or 201 when no mail is configured."""
        address = parse_email(email, public=not self.auth.settings.private_addresses)
        self.passwords.check(password, "password", address.canonical)
        user = new_user(self.auth.settings.fields, address, data, self.auth.now())
        await self.auth.users.unique_values.check_public(self.auth.storage, user.data)
        secret = await self.passwords.hasher.hash(password)
        credential = self.passwords.credential(user.id, secret)
        registration = self.auth.get(RegistrationService)
        if registration is not None and self.auth.conceals:
            return Registration(verification=await registration.start(user, credential, client))
        added = await self.auth.users.add(self.auth.storage, user, credential)
        if added is None:
            raise UserExistsError
        user = added
        await self.auth.emit(events.REGISTER, user_id=user.id, client=client)
        verification, tokens = None, None
        if registration is not None and self.auth.settings.verification != "off":
            verification = await registration.send_verification(user, client)
        if self.login_after_register and self.auth.settings.verification != "required":
            try:
                tokens = await self.auth.login(user, credential, amr=("pwd",), client=client)
            except SecondFactorSetupRequiredError:
                # With a mail the answer names its request: a second factor wants a verified address first.
                if verification is None:
                    raise
        return Registration(user=UserInfo.of(user), tokens=tokens, verification=verification)

    @post("/login", logs_in=True, names="email", guesses="password", event=events.LOGIN, errors=(BusyError,))
    async def login(self, *, email: Email, password: Secret, client: Client = Client()) -> TokenPair:
        """Log in. An unknown address takes as long to refuse as a wrong password."""
        return await self._login(email, password, client)

    @post(
        "/reauthenticate/password",
        guesses="password",
        event=events.REAUTHENTICATE,
        errors=(InvalidCredentialsError, BusyError),
    )
    async def reauthenticate(self, *, password: Secret, identity: Identity, client: Client = Client()) -> TokenPair:
        """Prove your password again, for actions that need a fresh login."""
        await self.passwords.reauthenticate(identity, password, client)
        return await self.auth.renew(identity, amr=("pwd",), client=client)

    @post(
        "/change-password",
        status=204,
        guesses="password",
        event=events.PASSWORD_CHANGE,
        errors=(InvalidCredentialsError, PasswordPolicyError, BusyError),
    )
    async def change_password(
        self, *, current_password: Secret, new_password: Secret, identity: Identity, client: Client = Client()
    ) -> None:
        """Change your password. All your other sessions end."""
        user, credential = await self.passwords.reauthenticate(identity, current_password, client)
        self.passwords.check(new_password, "new_password", user.email_canonical, current_password)
        secret = await self.passwords.hasher.hash(new_password)
        keep, now, ended = identity.session_id, int(self.auth.now()), list[str]()
        try:
            async with self.auth.storage.transaction() as storage:
                if not await self.passwords.replace(storage, user.id, secret, version=credential.version):
                    raise InvalidCredentialsError("The password was changed a moment ago.")
                ended = await storage.end_sessions(user.id, now, keep=keep)
        except StorageUnavailableError:
            # The commit may have taken effect: then the current password is wrong by now, and counts when tried again.
            stored = await self.auth.storage.credential(user.id, credential.kind)
            if stored is None or stored.secret != secret:
                raise
        await self.auth.sessions.ended(user.id, ended, client)
        await self.auth.emit(events.PASSWORD_CHANGE, user_id=user.id, session_id=keep, client=client)

    @post(
        "/set-password",
        status=204,
        fresh=True,
        second_factor=True,
        event=events.PASSWORD_CHANGE,
        errors=(ForbiddenError, PasswordPolicyError, BusyError),
    )
    async def set_password(self, *, new_password: Secret, identity: Identity, client: Client = Client()) -> None:
        """Set a password for an account that has none. All your other sessions end."""
        user, storage = await identity.load(), self.auth.storage
        old = await storage.credential(user.id, KIND)
        if old is not None and old.secret:
            raise ForbiddenError("The account has a password. Change it instead.")
        self.passwords.check(new_password, "new_password", user.email_canonical)
        secret, now = await self.passwords.hasher.hash(new_password), int(self.auth.now())
        async with storage.transaction() as inside:
            if not await self.passwords.replace(inside, user.id, secret, version=old.version if old else 0):
                raise ForbiddenError("The account has a password. Change it instead.")
            ended = await inside.end_sessions(user.id, now, keep=identity.session_id)
        await self.auth.sessions.ended(user.id, ended, client)
        await self.auth.emit(events.PASSWORD_CHANGE, user_id=user.id, session_id=identity.session_id, client=client)

    async def ways_in(self, storage: Storage, user: User) -> Collection[str]:
        """Name the password, if the user has a usable one."""
        credential = await storage.credential(user.id, KIND)
        return ("password",) if credential is not None and credential.secret else ()

    async def _grant(self, sent: Mapping[str, str], client: Client) -> TokenPair:
        return await self._login(sent["username"], sent["password"], client)

    async def _login(self, email: str, password: str, client: Client) -> TokenPair:
        user, credential = await self.passwords.verify_by_email(email, password, client)
        if user is None or credential is None:
            raise InvalidCredentialsError().about(user.id if user else None)
        return await self.auth.login(user, credential, amr=("pwd",), client=client)
