"""The feature: its page, and the consent of users."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from asgi_auth.errors import RateLimitedError
from asgi_auth.feature import Client, Identity, Line, Page, Redirect, User, get, post
from asgi_auth.features.authorization_server.answers import Consent, ScopeText
from asgi_auth.features.authorization_server.base import Parameter
from asgi_auth.features.authorization_server.connections import Connections
from asgi_auth.features.authorization_server.discovery import Discovery
from asgi_auth.features.authorization_server.errors import ConsentExpiredError, UnknownClientError
from asgi_auth.features.authorization_server.events import ACTIONS, CODE_REUSE, CONSENT
from asgi_auth.features.authorization_server.granting import Granting
from asgi_auth.features.authorization_server.grants import allowed
from asgi_auth.features.authorization_server.redirects import form_source, host_of
from asgi_auth.features.authorization_server.requests import MAX_SEALED, Asked, opened, seal
from asgi_auth.limits.counter_keys import networks_of
from asgi_auth.model.event_types import Action, Noticed

LIMITS = "30/m/ip, 300/h/ip"


class AuthorizationServer(Discovery, Granting, Connections):
    """Lets users connect other programs, such as MCP clients, to parts of the host (OAuth 2.1, RFC 9728).

    `resources` are the parts, by path: `{"/mcp": Resource("Notes", scopes={"notes:read": "Read your notes"})}`. Below a
    path, only tokens of its clients count.

    `clients` are known beforehand, by id. With `metadata_documents`, others name themselves by a document at a URL, on
    any host or on those given; that needs the extra `http`. With `registration`, others register themselves, and
    nothing is stored. `access_ttl` is the life of an access token, and `refresh_grace` that of a used refresh token, in
    seconds. A user has `most` sessions of each client. Needs `Pages` and `Settings.base_url`.
    """

    actions: ClassVar[Mapping[str, Action]] = ACTIONS
    mails: ClassVar[tuple[str, ...]] = ("app_connected", "app_reuse")
    notices: ClassVar[Mapping[Noticed, str]] = {(CODE_REUSE, "failure"): "app_reuse"}
    pages: ClassVar[Sequence[Page]] = (
        Page(
            name="authorize",
            endpoint="authorize",
            path="/authorize",
            login=True,
            loads=True,
            query=(
                "response_type",
                "client_id",
                "redirect_uri",
                "code_challenge",
                "code_challenge_method",
                "state",
                "scope",
                "resource",
                "prompt",
                "response_mode",
                "request",
                "request_uri",
            ),
        ),
    )

    @get("/oauth/request", limits=LIMITS, errors=(UnknownClientError, RateLimitedError), also=(Redirect,))
    async def authorize(
        self,
        *,
        response_type: Parameter = "",
        client_id: Parameter = "",
        redirect_uri: Parameter = "",
        code_challenge: Parameter = "",
        code_challenge_method: Parameter = "",
        state: Parameter = "",
        scope: Parameter = "",
        resource: Parameter = "",
        prompt: Parameter = "",
        response_mode: Parameter = "",
        request: Parameter = "",
        request_uri: Parameter = "",
        identity: Identity,
        client: Client = Client(),
    ) -> Consent | Redirect:
        """Show what a client asks of you (OAuth 2.1, 4.1.1). It is always shown, whatever was allowed before."""
        sent = {
            "response_type": response_type,
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "code_challenge": code_challenge,
            "code_challenge_method": code_challenge_method,
            "state": state,
            "scope": scope,
            "resource": resource,
            "prompt": prompt,
            "response_mode": response_mode,
            "request": request,
            "request_uri": request_uri,
        }
        asked = await self._requests.judge(sent, _asker(client, identity))
        if isinstance(asked, Redirect):
            return asked
        return await self._consent(asked, seal(sent), identity)

    async def _consent(self, asked: Asked, request: str, identity: Identity) -> Consent:
        grant = await self._grants.find(identity.id, asked.client.key)
        before = allowed(grant, asked.resource.served.path)
        texts = asked.resource.configured.scopes
        host = host_of(asked.redirect_uri)
        return Consent(
            name=asked.client.name or host or "localhost",
            host=host,
            standing=self._clients.standing(asked.client.id, host),
            resource=asked.resource.configured.name,
            scopes=[ScopeText(name=name, text=texts[name], allowed=name in before) for name in asked.scopes],
            sealed=request,
            ticket=self._tickets.make(identity.session_id, request),
            source=form_source(asked.redirect_uri),
        )

    @post(
        "/authorize",
        status=303,
        limits=LIMITS,
        event=CONSENT,
        errors=(UnknownClientError, ConsentExpiredError, RateLimitedError),
    )
    async def answer_client(
        self,
        *,
        sealed: Annotated[str, msgspec.Meta(max_length=MAX_SEALED)],
        ticket: Line,
        answer: Literal["allow", "deny"],
        identity: Identity,
        client: Client = Client(),
    ) -> Redirect:
        """Let a client in, or deny it, on the page that shows what it asks. Leads back to the client."""
        self._tickets.check(ticket, identity.session_id, sealed)
        asked = await self._requests.judge(opened(sealed), _asker(client, identity))
        if isinstance(asked, Redirect):
            return asked
        data = {"app": asked.client.name, "scopes": list(asked.scopes)}
        about: dict[str, Any] = {"user_id": identity.id, "session_id": identity.session_id, "client": client}
        if answer == "deny":
            await self._tickets.use(self.auth.storage, ticket)
            await self.auth.emit(CONSENT, outcome="failure", data=data, **about)
            return self._requests.answer(asked.redirect_uri, asked.state, error="access_denied")
        user = await self.auth.storage.user(identity.id)
        before = await self._grants.find(identity.id, asked.client.key)
        # All or nothing: after an outage the page can be sent again.
        async with self.auth.storage.transaction() as storage:
            await self._tickets.use(storage, ticket)
            grant = await self._grants.allow(storage, identity.id, asked, host_of(asked.redirect_uri))
            code = await self._codes.make(storage, identity, asked, grant)
        await self.auth.emit(CONSENT, data=data, **about)
        # A program that the user knows asks again after each restart.
        is_known = before is not None and before.data.get("scopes") == grant.data.get("scopes")
        if user is not None and not is_known:
            self._tell(asked, user, client)
        return self._requests.answer(asked.redirect_uri, asked.state, code=code)

    def _tell(self, asked: Asked, user: User, client: Client) -> None:
        """Mail the user which client was let in, and what it may do."""
        host, texts = host_of(asked.redirect_uri) or "localhost", asked.resource.configured.scopes
        values = {"app": asked.client.name or host, "host": host}
        values["scopes"] = ", ".join(texts[name] for name in asked.scopes)
        self.auth.letters.notify("app_connected", user, client, values)


def _asker(client: Client, identity: Identity) -> str:
    """Name who shares the places for documents: the widest network of a customer; without an address, the user."""
    return next(reversed(networks_of(client.address)), identity.id)
