"""What all endpoints of administration share: permissions, and the judgement of their callers."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from asgi_auth.accounts.authority import PERMISSIONS, Administrator
from asgi_auth.auth import Auth
from asgi_auth.errors import AccountDisabledError, ForbiddenError, TokenRevokedError, UserNotFoundError
from asgi_auth.events.audit_queue import AuditQueue
from asgi_auth.feature import Feature, Identity
from asgi_auth.sources.kinds import checks_options

#: The errors of an endpoint that acts on a user.
ERRORS = (UserNotFoundError, ForbiddenError, TokenRevokedError)
IMPERSONATION_ERRORS = (*ERRORS, AccountDisabledError)


class AdminBase(Feature):
    """The settings of administration, and the judgement of administrators."""

    room: ClassVar[Path | None] = Path(__file__).parent

    @checks_options
    def __init__(self, *, role: str = "admin", second_factor: bool = True) -> None:
        """Take the settings."""
        self.permissions: Sequence[str] = PERMISSIONS
        self.default_roles: Mapping[str, Sequence[str]] = {role: PERMISSIONS}
        self.admin_role = role
        self._second_factor = second_factor

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`. Raises ValueError without a second factor that administrators could have."""
        super().attach(auth)
        if self._second_factor and not auth.second_factors.knows_factors:
            raise ValueError(
                "administrators need a second factor: add Totp(), or set Admin(second_factor=False) for development"
            )

    def _by(self, identity: Identity, *needs: str) -> Administrator:
        """Return the caller as the author of a change, who is judged in its transaction."""
        return Administrator(identity.id, needs, self.auth.permissions, identity, second_factor=self._second_factor)

    async def _addresses(self, ids: Iterable[str | None]) -> dict[str, str]:
        """Return the addresses of users by id, as far as they exist."""
        users = [await self.auth.users.find(each) for each in sorted({each for each in ids if each})]
        return {user.id: user.email for user in users if user is not None}

    async def _write_waiting(self) -> None:
        """Write the audit records that wait."""
        queue = self.auth.get(AuditQueue)
        if queue is not None:
            await queue.flush()
