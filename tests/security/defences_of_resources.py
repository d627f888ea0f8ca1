"""Defences of protected resources: whose tokens count where."""

from tests.security.defence import Defence

IN = "web/test_protected_resources.py::"
RESOURCES = [
    Defence(
        "the cached token of a client counts at its resource only",
        "sessions/verifier.py",
        "self._of_clients.get((resource.url, token)), self._revocation\n",
        "next((e for (_, name), e in self._of_clients.items() if name == token), None), self._revocation\n",
        IN + "test_a_token_counts_at_its_resource_and_nowhere_else",
    ),
    Defence(
        "an ended session ends the cached token of a client",
        "sessions/verifier.py",
        "if key in ended_ones or self._now() >= claims.exp + self._leeway:\n"
        "            return None\n        return self._client_of(",
        "if self._now() >= claims.exp + self._leeway:\n            return None\n        return self._client_of(",
        IN + "test_an_ended_session_and_an_expired_token_end_at_once",
    ),
    Defence(
        "a token counts for its audience only",
        "sessions/tokens.py",
        "if claims.iss != issuer or claims.aud != audience",
        "if claims.iss != issuer",
        IN + "test_a_token_counts_at_its_resource_and_nowhere_else",
    ),
    Defence(
        "a token of a client is of the issuer of its resource",
        "sessions/tokens.py",
        "if claims.iss != issuer or claims.aud != audience",
        "if claims.aud != audience",
        IN + "test_a_token_of_another_issuer_with_our_key_is_refused",
    ),
    Defence(
        "a client has no roles",
        "sessions/verifier.py",
        "return Identity.of_client(claims, raw, self._revocation.roles.get(claims.sub), self._source)",
        'return Identity(claims, raw, claims.roles, "bearer", self._source)',
        IN + "test_a_client_has_its_scopes_and_nothing_else_of_its_user",
    ),
    Defence(
        "a remembered token of a client is not trusted on old knowledge",
        "sessions/verifier.py",
        "self._of_clients.get((resource.url, token)), self._revocation\n"
        "        if entry is None or monotonic() > revocation.fresh_until:",
        "self._of_clients.get((resource.url, token)), self._revocation\n        if entry is None:",
        IN + "test_a_seen_token_is_not_trusted_on_old_knowledge",
    ),
    Defence(
        "a client is never fresh and shows no second factor",
        "sessions/meeting.py",
        "if caller.client is not None and (demand.fresh is not None or demand.second_factor):",
        "if caller.client == demand:",
        IN + "test_a_client_has_its_scopes_and_nothing_else_of_its_user",
    ),
    Defence(
        "a scope is demanded",
        "sessions/meeting.py",
        "if demand.scopes and not _has_scopes(caller, demand, source):",
        "if demand.scopes and not caller.kind:",
        IN + "test_a_refusal_says_where_a_token_comes_from_and_for_which_scopes",
    ),
    Defence(
        "a scope that is a permission goes with the role",
        "sessions/permissions.py",
        "return tuple(scope for scope in scopes if scope not in lacking)",
        "return tuple(scope for scope in scopes if lacking or scope)",
        IN + "test_a_scope_that_is_a_permission_goes_with_the_role_of_the_user",
    ),
    Defence(
        "cookies of users do not count at a resource",
        "web/authenticator.py",
        "            if resource.own:\n",
        "            if resource:\n",
        IN + "test_cookies_count_only_where_a_resource_takes_sessions_of_users",
    ),
    Defence(
        "no client without a token reaches a resource",
        "middleware.py",
        "                identity.require()\n",
        "                identity.is_authenticated\n",
        IN + "test_a_refusal_says_where_a_token_comes_from_and_for_which_scopes",
    ),
    Defence(
        "a tool is called with its scopes",
        "web/tool_calls.py",
        "    if wanted:\n",
        "    if wanted and not body:\n",
        IN + "test_a_call_of_a_tool_is_judged_before_the_host_sees_it",
    ),
    Defence(
        "a body that only the host can read does not reach it",
        "web/tool_calls.py",
        'raise BadRequestError("The body is not JSON.") from None',
        "return",
        IN + "test_a_call_of_a_tool_is_judged_before_the_host_sees_it",
    ),
    Defence(
        "ended sessions are known as long as the tokens of clients live",
        "sessions/revocation.py",
        "self.horizon = max(self.horizon, seconds + 2 * self._leeway)",
        "self.horizon += 0 * seconds",
        IN + "test_an_end_is_known_as_long_as_the_tokens_of_clients_live",
    ),
    Defence(
        "no spelling of its path leads past a resource",
        "middleware.py",
        "self._resources.at(*readings(scope))",
        "self._resources.at(readings(scope)[0])",
        "hosts/test_resource_paths.py::test_no_spelling_of_its_path_leads_past_a_resource",
    ),
    Defence(
        "capital letters lead past no resource",
        "web/paths.py",
        'path = (route_path(scope) or "").lower()',
        'path = route_path(scope) or ""',
        "hosts/test_resource_paths.py::test_all_readings_of_a_path_are_judged",
    ),
]
