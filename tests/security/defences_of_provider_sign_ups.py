"""Defences of what follows a login at a provider: handoffs, sign-ups and kept tokens."""

from tests.security.defence import Defence

HANDOFF = "oidc/test_handoff.py::"
SIGNING_UP = "oidc/test_signing_up.py::"
KEPT = "oidc/test_kept_tokens.py::"
FLOWS = "features/oidc/flows.py"
AFTER_PROVIDERS = [
    Defence(
        "provider: a handoff is used once",
        "features/oidc/handing_over.py",
        "if provider is None or not await self.auth.storage.use_token(found.id, now):",
        "if provider is None or await self.auth.storage.use_token(found.id, now) is None:",
        HANDOFF + "test_a_token_is_used_once_of_many_calls_and_within_a_minute",
    ),
    Defence(
        "provider: a handoff needs the verifier of its script",
        "features/oidc/handing_over.py",
        'if found is None or not is_verifier(verifier, found.data["challenge"]):',
        "if found is None or not verifier:",
        HANDOFF + "test_a_token_is_of_no_use_without_its_verifier",
    ),
    Defence(
        "provider: a handoff goes to listed origins alone",
        "features/oidc/handing_over.py",
        "if not is_local_path(target) and origin_in(target) not in origins:",
        "if not is_local_path(target) and not origin_in(target):",
        HANDOFF + "test_a_token_goes_to_listed_origins_alone",
    ),
    Defence(
        "provider: another site begins no login where there are no pages",
        "app.py",
        "if endpoint.navigates and is_begun_elsewhere(scope, endpoint, self.auth.settings):",
        "if not endpoint.path:",
        HANDOFF + "test_without_a_challenge_another_site_begins_no_login_with_pages_or_without",
    ),
    Defence(
        "provider: another site begins no login of a script of this site",
        "web/csrf.py",
        'return any(_is_of_this_site(target, settings) for target in sent.get("next", ()))',
        "return False",
        HANDOFF + "test_another_site_begins_no_login_that_goes_on_with_its_token_at_a_page_of_this_site",
    ),
    Defence(
        "provider: other sites do not fill a browser with logins",
        FLOWS,
        "for name in others[: max(0, len(others) - MOST + 1)]",
        "for name in others[:0]",
        HANDOFF + "test_logins_that_other_sites_begin_do_not_fill_a_browser_with_cookies",
    ),
    Defence(
        "provider: a sign-up is completed once",
        "features/oidc/signing_in.py",
        "if typed is not None and not await storage.use_token(typed.token_id, int(self._auth.now())):",
        "if typed is not None and not typed.token_id:",
        SIGNING_UP + "test_an_address_that_got_an_account_meanwhile_is_linked_by_its_proof_alone",
    ),
    Defence(
        "provider: an account of another user is not linked",
        "features/oidc/signing_in.py",
        "if found is None or found[0].id != user.id:",
        "if found is None:",
        "oidc/test_linking_table.py::test_each_cell_of_the_linking_table",
    ),
    Defence(
        "provider: a completed sign-up logs no one in again",
        "features/oidc/signing_in.py",
        "if found is not None and entrance.typed is not None:",
        "if found is not None and not profile.identifier:",
        SIGNING_UP + "test_a_typed_address_is_proven_by_a_mail_and_the_login_is_not_lost",
    ),
    Defence(
        "provider: a typed address is not proven by the provider",
        "features/oidc/signing_in.py",
        "is_named = mine is not None and mine.canonical == address.canonical",
        "is_named = address is not None",
        SIGNING_UP + "test_another_address_than_that_of_the_provider_is_not_proven",
    ),
    Defence(
        "provider: one process refreshes kept tokens",
        "features/oidc/keeping.py",
        "if (await self._auth.storage.count(digest, await self._shared_now(), LEASE)).count != 1:",
        "if (await self._auth.storage.count(digest, await self._shared_now(), LEASE)).count < 1:",
        KEPT + "test_of_many_callers_in_two_processes_one_refreshes",
    ),
    Defence(
        "provider: kept tokens go with the account there",
        "features/oidc/linking.py",
        "            await self._kept.drop(storage, known[id])",
        "            _ = known[id]",
        KEPT + "test_tokens_are_gone_with_the_link_and_with_the_account",
    ),
    Defence(
        "provider: a login during an unlink keeps no tokens",
        "features/oidc/keeping.py",
        "return is_gone or await storage.add_credential(made)",
        "return await storage.add_credential(made)",
        KEPT + "test_tokens_of_a_login_during_an_unlink_or_the_end_of_the_account_are_not_kept",
    ),
    Defence(
        "provider: kept tokens are for active accounts",
        "features/oidc/keeping.py",
        'if user is None or user.status != "active":',
        "if user is None:",
        KEPT + "test_tokens_are_gone_with_the_link_and_with_the_account",
    ),
    Defence(
        "provider: a void refresh token is sent once",
        "features/oidc/keeping.py",
        'await self._stored(row, msgspec.structs.replace(tokens, refresh_token=""), tokens)',
        "_ = tokens",
        KEPT + "test_a_refresh_token_that_was_revoked_needs_a_login_there",
    ),
    Defence(
        "provider: one process refreshes where clocks differ",
        "features/oidc/keeping.py",
        "self._auth.storage.count(digest, await self._shared_now(), LEASE)",
        "self._auth.storage.count(digest, int(now), LEASE)",
        KEPT + "test_of_many_callers_in_two_processes_one_refreshes",
    ),
    Defence(
        "provider: a login that takes an account over locks its credentials before its user",
        "accounts/links.py",
        "before = await storage.user(user_id)",
        "before = await storage.update_user(user_id, {}, now)",
        "oidc/test_locks.py::test_an_unlink_during_the_login_of_the_owner_of_the_address_is_no_deadlock",
    ),
]
