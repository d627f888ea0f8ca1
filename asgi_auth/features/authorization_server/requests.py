"""Authorization requests (OAuth 2.1, 4.1.1): one function judges them, when a page is shown and when it is answered."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

from asgi_auth.errors import BadRequestError
from asgi_auth.feature import Redirect
from asgi_auth.features.authorization_server.clients import Clients, KnownClient
from asgi_auth.features.authorization_server.errors import InvalidTargetError, UnknownClientError
from asgi_auth.features.authorization_server.redirects import fits, with_answer
from asgi_auth.features.authorization_server.resource import Resource
from asgi_auth.model.records import Record
from asgi_auth.sessions.resources import ProtectedResource

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
#: The longest request that the form of its page carries.
MAX_SEALED = 16384
#: A list of scopes (RFC 6749, 3.3). Some clients send a space before it.
SCOPES = re.compile(r"[ !#-\[\]-~]*")


class Known(Record, frozen=True):
    """A protected resource, as it is configured and as it is served."""

    configured: Resource
    served: ProtectedResource


class Asked(Record, frozen=True, kw_only=True):
    """A request that may be shown to the user."""

    client: KnownClient
    redirect_uri: str
    state: str
    challenge: str
    scopes: tuple[str, ...]
    resource: Known


class Requests:
    """Judges authorization requests."""

    def __init__(self, clients: Clients, resources: Sequence[Known], issuer: str) -> None:
        """Take the clients and resources; answers name the `issuer` (RFC 9207)."""
        self._clients = clients
        self._resources = resources
        self._issuer = issuer

    async def judge(self, sent: Mapping[str, str], asker: str) -> Asked | Redirect:
        """Return the request of a user in a network, or the refusal that goes to the client.

        Raises UnknownClientError for a client or an address that is not known: nothing is sent there. Raises
        BadRequestError as `_refusal` does.
        """
        client = await self._clients.named(sent.get("client_id", ""), asker)
        uri = sent.get("redirect_uri", "")
        if not uri and client.is_configured and len(client.redirects) == 1:
            uri = client.redirects[0]
        if not fits(uri, client.redirects):
            raise UnknownClientError
        try:
            resource = self.resource(sent.get("resource", ""))
        except InvalidTargetError:
            return self._refusal(client, uri, sent, "invalid_target")
        if error := _mistake(sent):
            return self._refusal(client, uri, sent, error)
        if sent.get("prompt") == "none":
            return self._refusal(client, uri, sent, "consent_required")
        return Asked(
            client=client,
            redirect_uri=uri,
            state=sent.get("state", ""),
            challenge=sent["code_challenge"],
            scopes=granted(sent.get("scope", ""), resource.configured),
            resource=resource,
        )

    def _refusal(self, client: KnownClient, uri: str, sent: Mapping[str, str], error: str) -> Redirect:
        """Refuse a request before its user was shown a page.

        Raises BadRequestError, which is a page, for the site of a client that no one has vouched for: a link to this
        server would lead there without a click (RFC 9700, 4.11.2).
        """
        if uri.startswith("https:") and not client.is_configured:
            raise BadRequestError
        return self.answer(uri, sent.get("state", ""), error=error)

    def resource(self, url: str) -> Known:
        """Return the resource with a URL; without a URL, the only one. Raises InvalidTargetError."""
        found = [each for each in self._resources if not url or url.removesuffix("/") == each.served.url]
        if len(found) != 1:
            raise InvalidTargetError
        return found[0]

    def answer(self, uri: str, state: str, **values: str) -> Redirect:
        """Send the browser back to the client, with `state` and `iss` (RFC 9207)."""
        return Redirect(with_answer(uri, **values, state=state, iss=self._issuer), elsewhere=True)


def granted(scope: str, resource: Resource) -> tuple[str, ...]:
    """Return the scopes of a request that a resource has; the first ones where none is left (RFC 6749, 3.3)."""
    asked = [name for name in dict.fromkeys(scope.split(" ")) if name in resource.scopes]
    return tuple(asked) or resource.first_scopes


def seal(sent: Mapping[str, str]) -> str:
    """Return a request as the form of its page carries it."""
    return urlencode({name: value for name, value in sent.items() if value})


def opened(text: str) -> dict[str, str]:
    """Return the request that a form carries."""
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=20))


def _mistake(sent: Mapping[str, str]) -> str:
    """Name what is wrong with a request whose client is known; empty if nothing is."""
    if sent.get("request") or sent.get("request_uri"):
        return "request_not_supported"
    if len(seal(sent)) > MAX_SEALED:
        return "invalid_request"
    if sent.get("response_type") != "code":
        return "unsupported_response_type" if sent.get("response_type") else "invalid_request"
    if sent.get("response_mode", "query") not in {"", "query"}:
        return "invalid_request"
    if sent.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(sent.get("code_challenge", "")):
        return "invalid_request"
    return "" if SCOPES.fullmatch(sent.get("scope", "")) else "invalid_scope"
