"""Usernames: a unique extra field that also names the account at a login."""

import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from asgi_auth._typed_text import without_margins
from asgi_auth.errors import AuthError, FreshLoginRequiredError, ImpersonatedError, SecondFactorNeededError
from asgi_auth.feature import Action, Call, Ending, Endpoint, Feature, User
from asgi_auth.features.usernames.reserved import RESERVED, NotReserved
from asgi_auth.model.event_types import Noticed
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.user_field import RESERVED as RESERVED_FIELDS
from asgi_auth.validation.user_field import Field

FIELD = "username"
#: ASCII alone: no two names look the same that differ in their bytes, but for the case, which does not count.
PATTERN = re.compile("[A-Za-z][A-Za-z0-9_.-]{2,31}")
#: The event, the mail about it, and the note of a call that changes the name.
CHANGE, NOTICE, CHANGES = "username_change", "username_changed", "username"
#: The domain of addresses that no account has (RFC 2606). The part before it has a MAC, so that none can register.
NOWHERE = "unknown.test"


class Username(Field):
    """The field of the names. The name of the field itself is reserved for it."""

    reserved: ClassVar[Collection[str]] = frozenset(RESERVED_FIELDS) - {FIELD}


class Usernames(Feature):
    """Lets users choose a name of 3 to 32 letters, digits, `_`, `.` and `-`, and log in with it.

    The name is kept as typed, and compared without case. It is the extra field `username`: registration and
    `PATCH /me` take it, `GET /me` shows it in `data`, and `auth.users.set_data(id, username="ada")` sets it. With
    `required`, every registration needs one. With `change="admin"`, users cannot change it; else the change needs a
    fresh login, with a second factor of users that have one. Users cannot choose a name that is `reserved`.

    Where an address names an account, as at the login, in a reset and at the token endpoint, the name does so, too.
    """

    names_by: ClassVar[str] = FIELD
    room: ClassVar[Path | None] = Path(__file__).parent
    mails: ClassVar[tuple[str, ...]] = (NOTICE,)
    notices: ClassVar[Mapping[Noticed, str]] = {(CHANGE, "success"): NOTICE}
    actions: ClassVar[Mapping[str, Action]] = {CHANGE: Action("A user has changed the username.", "user_updated")}

    @checks_options
    def __init__(
        self,
        *,
        required: bool = False,
        change: Literal["user", "admin"] = "user",
        reserved: Collection[str] = RESERVED,
    ) -> None:
        """Take the settings. Raises ValueError."""
        self._change = change
        self.user_fields: Sequence[Field] = (
            Username(
                FIELD,
                required=required,
                max_length=32,
                min_length=3,
                pattern=PATTERN.pattern,
                unique="public",
                write="user" if change == "user" else "register",
                validator=NotReserved.of(reserved),
            ),
        )

    async def find(self, name: str) -> User | None:
        """Read a user by the name, in any case; None when there is none."""
        await self.auth.start()
        plain = without_margins(name)
        if PATTERN.fullmatch(plain) is None:
            # Claims fold other letters, such as those of full width, to a name that was not given.
            return None
        [claim] = self.auth.users.unique_values.claims("", {FIELD: plain})
        found = await self.auth.storage.find_credential(claim.kind, claim.identifier)
        return found[0] if found is not None else None

    async def address_of(self, name: str) -> str:
        """Return the address of the user with a name; an address stays as it is.

        An unknown name becomes an address that no account has, always the same: guesses at it are counted, a password
        for it is hashed, and a mail to it is rendered, as for a known name.
        """
        if "@" in name:
            return name
        user = await self.find(name)
        return user.email_canonical if user is not None else self._of_unknown(name)

    def takes_part(self, endpoint: Endpoint) -> bool:
        """Tell whether an endpoint can change the name: that of its caller, or of another user."""
        return endpoint.method == "PATCH" and endpoint.takes_data and (endpoint.administers or self._change == "user")

    def errors_at(self, endpoint: Endpoint) -> Collection[type[AuthError]]:
        """Name the errors of a change without a fresh login."""
        if not self.takes_part(endpoint) or endpoint.administers:
            return ()
        needed = (SecondFactorNeededError,) if self.auth.second_factors.knows_factors else ()
        return (FreshLoginRequiredError, ImpersonatedError, *needed)

    async def before(self, call: Call) -> None:
        """Demand a fresh login, and a second factor of users that have one, for another name of their own."""
        if FIELD not in call.values:
            return
        user = await self._user_of(call)
        if user is None or user.data.get(FIELD) == call.values[FIELD]:
            return
        if not call.endpoint.administers:
            await self.auth.pipeline.admission.prove(call.identity)
        call.notes[CHANGES] = user.id

    async def after(self, call: Call, ending: Ending) -> None:
        """Emit the event of a change; one by an administrator names both users."""
        user_id, identity = call.notes.get(CHANGES), call.identity
        if ending != "done" or user_id is None:
            return
        session_id, actor = (None, identity.id) if call.endpoint.administers else (identity.session_id, None)
        await self.auth.stream.emit(CHANGE, user_id=user_id, session_id=session_id, client=call.client, actor=actor)

    async def _user_of(self, call: Call) -> User | None:
        """Return the user whose name a call changes."""
        if call.endpoint.administers:
            return await self.auth.users.find(str(call.values.get("id", "")))
        return await call.identity.load()

    def _of_unknown(self, name: str) -> str:
        """Return an address for an unknown name. The MAC is as long as no lucky registration can be."""
        key = self.auth.keys.derived("unknown username")[0]
        return f"{hmac.digest(key, without_margins(name).casefold().encode(), 'sha256')[:20].hex()}@{NOWHERE}"
