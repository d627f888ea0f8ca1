"""The device cookie after a login in cookie mode: it makes the browser a known client of the account."""

from collections.abc import Awaitable, Callable

from asgi_auth.accounts.known_clients import KnownClients
from asgi_auth.errors import StorageUnavailableError, UnauthorizedError
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Client
from asgi_auth.sessions.identity import Identity, Transport
from asgi_auth.web.cookies import Cookies


class DeviceCookies:
    """Makes the header that sets the device cookie."""

    def __init__(
        self, cookies: Cookies, known: KnownClients, verify: Callable[[str, Transport], Awaitable[Identity]]
    ) -> None:
        """Take the cookies, the known clients, and the verifier of access tokens."""
        self._cookies = cookies
        self._known = known
        self._verify = verify

    async def after_login(self, pair: TokenPair, client: Client) -> list[tuple[bytes, bytes]]:
        """Return the header for the account of a login. Without the database there is none: the login stands."""
        try:
            user = await (await self._verify(pair.access_token, "cookie")).load()
        except (StorageUnavailableError, UnauthorizedError):
            return []
        return self._cookies.set_device(self._known.device_cookie(user.email_canonical, client))
