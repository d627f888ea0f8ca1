"""Fake providers that know OAuth 2 only, as GitHub, Discord and LinkedIn do: the user is read from an API."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from asgi_auth.testing.provider.lies import changed
from asgi_auth.testing.provider.server import FakeServer
from asgi_auth.testing.provider.wire import JSON, RefusedError, Request, Response, as_json

#: Makes the answer of an API of the subject and the claims of a user.
Resource = Callable[[str, Mapping[str, Any]], Any]


class FakeOAuth(FakeServer):
    """A fake provider of OAuth 2. `resources` are what its API answers to a bearer token, by the name of an endpoint.

    `github`, `discord` and `linkedin` make one of each. A lie's `user` changes each object of a resource.
    """

    def __init__(
        self,
        issuer: str,
        *,
        paths: Mapping[str, str],
        resources: Mapping[str, Resource],
        errors_are_ok: bool = False,
        **options: Any,
    ) -> None:
        """Take the server's URL, the paths or URLs of all endpoints, the resources, and the options of FakeServer.

        `errors_are_ok` answers errors of the token endpoint with status 200, and everything as a form unless the
        client accepts JSON, as GitHub does.
        """
        super().__init__(issuer, **options)
        self.paths = paths
        self.handlers.update({name: self._reader(resource) for name, resource in resources.items()})
        if errors_are_ok:
            self.handlers["token"] = self._token_of_github

    def _token_of_github(self, request: Request) -> Response:
        try:
            members = self.token(request).json
        except RefusedError as error:
            members = error.members
        if JSON in request.headers.get("accept", ""):
            return as_json(members)
        return Response(200, urlencode(members).encode(), [("content-type", "application/x-www-form-urlencoded")])

    def _reader(self, resource: Resource) -> Callable[[Request], Response]:
        def read(request: Request) -> Response:
            grant = self.grants.holder(request.bearer, self.now())
            found = resource(grant.subject, self.users[grant.subject])
            return as_json(changed(found, self.lie.user) if isinstance(found, dict) else found)

        return read


def github(issuer: str = "https://github.com", *, api: str = "https://api.github.com", **options: Any) -> FakeOAuth:
    """Return a provider that behaves as GitHub: a number as id, and the addresses apart from the user.

    A user's claims are `login`, `name`, `email` (the public one, or None) and `emails`, a list as GitHub's API has it.
    """
    resources: dict[str, Resource] = {
        "user": lambda subject, claims: {
            "id": int(subject),
            "login": claims.get("login", f"user{subject}"),
            "name": claims.get("name"),
            "email": claims.get("email"),
        },
        "emails": lambda _, claims: claims.get("emails", []),
    }
    paths = {
        "authorization": "/login/oauth/authorize",
        "token": "/login/oauth/access_token",
        "user": f"{api}/user",
        "emails": f"{api}/user/emails",
    }
    return FakeOAuth(issuer, paths=paths, resources=resources, errors_are_ok=True, **options)


def discord(issuer: str = "https://discord.com", **options: Any) -> FakeOAuth:
    """Return a provider that behaves as Discord: the address stands in the user, with `verified`."""
    resources: dict[str, Resource] = {
        "user": lambda subject, claims: {
            "id": subject,
            "username": claims.get("username", f"user{subject}"),
            "global_name": claims.get("name"),
            "email": claims.get("email"),
            "verified": claims.get("verified", False),
        }
    }
    paths = {"authorization": "/oauth2/authorize", "token": "/api/oauth2/token", "user": "/api/users/@me"}
    return FakeOAuth(issuer, paths=paths, resources=resources, **options)


def linkedin(
    issuer: str = "https://www.linkedin.com/oauth", *, api: str = "https://api.linkedin.com", **options: Any
) -> FakeOAuth:
    """Return a provider that behaves as LinkedIn: claims stand at its userinfo endpoint, and PKCE is unknown."""
    resources: dict[str, Resource] = {"user": lambda subject, claims: {"sub": subject, **claims}}
    paths = {"authorization": "/v2/authorization", "token": "/v2/accessToken", "user": f"{api}/v2/userinfo"}
    return FakeOAuth(issuer, paths=paths, resources=resources, requires_pkce=False, **options)
