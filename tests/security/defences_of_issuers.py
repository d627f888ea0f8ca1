"""What keeps tokens for other services, their keys, and the paths at the root of the host."""

from tests.security.defence import Defence

ISSUERS = [
    Defence(
        "the public keys have public members alone",
        "crypto/jwk.py",
        "{name: members[name] for name in PUBLIC if name in members}",
        "members",
        "features/test_server_metadata.py::test_the_public_keys_verify_tokens_and_hold_nothing_private",
    ),
    Defence(
        "keys that come from the secret are never published",
        "crypto/jwk.py",
        'if key.algorithm != "HS256"]',
        "]",
        "features/test_server_metadata.py::test_keys_that_come_from_the_secret_are_never_shown",
    ),
    Defence(
        "the middleware serves an exact list of paths at the root",
        "app.py",
        'root = self.root_paths.get(route_path(scope) or "")',
        'root = next((item for path, item in self.root_paths.items() if path in scope["path"]), None)',
        "web/test_root_paths.py::test_the_middleware_serves_exactly_the_listed_paths_before_the_host",
    ),
    Defence(
        "no credentials count where scripts of every site may call",
        "web/request_pipeline.py",
        "PresentedCredentials() if endpoint.any_origin else self._authenticator.reader.read(scope)",
        "self._authenticator.reader.read(scope)",
        "web/test_root_paths.py::test_bad_credentials_do_not_matter_where_scripts_of_every_site_may_call",
    ),
    Defence(
        "a revocation that could not be done is no success",
        "features/revocation.py",
        "            await self.auth.end_sessions(owner, only=session_id, client=client)",
        "            try:\n"
        "                await self.auth.end_sessions(owner, only=session_id, client=client)\n"
        "            except Exception:\n                pass",
        "features/test_revocation_endpoint.py::test_what_could_not_be_done_is_said",
    ),
]
