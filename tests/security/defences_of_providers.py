"""Defences of logins by other providers."""

from tests.security.defence import Defence

LOGIN, LIES, LINKING = "oidc/test_login.py::", "oidc/test_lies.py::", "oidc/test_linking.py::"
LIE = LIES + "test_a_lie_starts_no_session"
ID_TOKEN, FLOWS = "features/oidc/id_token.py", "features/oidc/flows.py"
PROVIDERS = [
    Defence(
        "provider: a login is finished by the browser that began it",
        FLOWS,
        "if hmac.compare_digest(found[3], _mac(key, PURPOSE, provider, body, cookie)):",
        "if found[3]:",
        LOGIN + "test_the_state_of_one_provider_is_refused_at_another",
    ),
    Defence(
        "provider: a login is finished once",
        FLOWS,
        "if counter.count != 1:",
        "if counter.count < 1:",
        LOGIN + "test_a_login_is_finished_once_of_many_calls",
    ),
    Defence(
        "provider: a login lasts ten minutes",
        FLOWS,
        "if not -TTL < now - int(found[2]) < TTL:",
        "if not found[2]:",
        LOGIN + "test_a_login_ends_after_ten_minutes",
    ),
    Defence(
        "provider: a code belongs to the login that it was given for",
        "features/oidc/connections.py",
        "if pkce:",
        "if not pkce:",
        LOGIN + "test_a_login_at_a_provider_goes_on_where_it_was_begun_with_cookies",
    ),
    Defence(
        "provider: the ID token has the nonce of this login",
        ID_TOKEN,
        "if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):",
        "if nonce == 0:",
        LIE,
    ),
    Defence(
        "provider: the ID token is of the configured issuer",
        ID_TOKEN,
        'if issuer is None or claims.get("iss") != issuer:',
        'if not claims.get("iss"):',
        LIE,
    ),
    Defence(
        "provider: the ID token is for this client",
        ID_TOKEN,
        "if not isinstance(audience, list) or provider.client_id not in audience:",
        "if audience is None:",
        LIE,
    ),
    Defence(
        "provider: the callback is of the issuer of the login (mix-up)",
        "features/oidc/connections.py",
        "if issuer != self._openid.issuer:",
        "if issuer == '':",
        LIE,
    ),
    Defence(
        "provider: the userinfo is of the same subject",
        "features/oidc/connections.py",
        'if user.get("sub") != subject:',
        "if not subject:",
        LIE,
    ),
    Defence(
        "provider: metadata is of the configured issuer",
        "features/oidc/metadata.py",
        "if found.issuer != self._provider.issuer:",
        "if not found.issuer:",
        LIE,
    ),
    Defence(
        "provider: only the very value calls an address verified",
        "features/oidc/providers.py",
        "return any(type(value) is type(each) and value == each for each in self.verified_values)",
        "return bool(value)",
        LINKING + "test_only_an_address_that_the_provider_has_verified_opens_an_account",
    ),
    Defence(
        "provider: nothing is linked before the second factor",
        "accounts/pending_logins.py",
        "store = partial(self._links.add, link, client) if link is not None else None",
        "store = await self._links.add(link, client) if link is not None else None",
        LINKING + "test_a_link_waits_for_the_second_factor",
    ),
    Defence(
        "provider: a link takes an unverified account from a stranger",
        "accounts/links.py",
        "ended = await take_over(storage, user_id, now, spare=factors)",
        "ended = list(factors)",
        LINKING + "test_a_link_takes_an_unverified_account_from_a_stranger",
    ),
    Defence(
        "provider: a claimed address is proven by a code alone",
        "accounts/one_time_tokens.py",
        'mailed = mailed if by_link else msgspec.structs.replace(mailed, token="", link="")',
        "mailed = mailed if by_link is not None else written",
        LINKING + "test_an_address_that_is_only_claimed_is_proven_by_a_code_in_that_browser",
    ),
]
