"""Second factors: who must have one, which a user has, and the page where a login goes on."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import ClassVar

from asgi_auth.auth import Auth
from asgi_auth.feature import Feature, Identity, LoginAttempt, Page, Record, get
from asgi_auth.model.records import Client
from asgi_auth.sources.kinds import check_kind

#: The longest session, and the longest pause in it, in seconds, of AAL2 (NIST SP 800-63B-4, 2.2.3).
AAL2_SESSION, AAL2_IDLE = 86400, 3600


class FactorList(Record, frozen=True, kw_only=True):
    """The second factors of a user by name, and whether one is required."""

    factors: list[str]
    required: bool


class SecondFactors(Feature):
    """Requires second factors of all users (`True`), or of those with one of the roles that `required` names.

    A user who must have a second factor and has none gets 403 `second_factor_setup_required` at the login, and sets one
    up to finish it. For live sessions, guard routes with `require(second_factor=True)`.
    """

    room: ClassVar[Path | None] = Path(__file__).parent
    pages: ClassVar[Sequence[Page]] = (
        Page(name="second_factor", endpoint="second_factors", path="/second-factor", entrance=True, carries="pending"),
    )

    def __init__(self, *, required: bool | Collection[str] = False) -> None:
        """Take the policy. Raises TypeError for one role in place of a list of roles."""
        if isinstance(required, str):
            raise TypeError(f"roles are a list of names, such as [{required!r}]")
        check_kind("required", required, bool | Collection[str])
        self.required = required
        self._is_aal2 = False

    @classmethod
    def aal2(cls) -> "SecondFactors":
        """Return the policy of authenticator assurance level 2 (NIST SP 800-63B-4, 2.2).

        Every user needs a second factor. An `Auth` with longer sessions than 24 hours, or longer pauses in them than an
        hour, is a ValueError.
        """
        policy = cls(required=True)
        policy._is_aal2 = True
        return policy

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`; raises ValueError for an unknown role, and for settings that do not fit."""
        super().attach(auth)
        if self.required and not auth.second_factors.knows_factors:
            raise ValueError("a second factor is required, and no feature brings one; list Totp(), for instance")
        if not isinstance(self.required, bool):
            auth.permissions.check_known(self.required)
        settings = auth.settings
        if self._is_aal2 and (settings.session_ttl > AAL2_SESSION or settings.session_idle > AAL2_IDLE):
            raise ValueError(f"AAL2 needs session_ttl={AAL2_SESSION} and session_idle={AAL2_IDLE}, or less")
        if self._is_aal2 and any(feature.overrides("waives") for feature in auth.features):
            raise ValueError("AAL2 wants a second factor at every login; leave TrustedDevices out")

    async def needs_second_factor(self, login: LoginAttempt) -> bool:
        """Tell whether the policy requires a second factor of a user."""
        if isinstance(self.required, bool):
            return self.required
        return not set(self.required).isdisjoint(login.user.roles)

    @get("/second-factors")
    async def second_factors(self, *, identity: Identity, client: Client = Client()) -> FactorList:
        """List your second factors."""
        user = await identity.load()
        return FactorList(
            factors=await self.auth.factors.of(user, client),
            required=await self.needs_second_factor(LoginAttempt(user, (), client)),
        )
