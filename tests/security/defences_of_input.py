"""Defences of what clients send and operators configure, in the form of `defences`."""

from tests.security.defences import Defence

INPUT = [
    Defence(
        "an unknown variable of the environment is refused",
        "_environment.py",
        "    if prefix:\n        _refuse_unknown(",
        "    if not prefix:\n        _refuse_unknown(",
        "test_environment.py::test_an_unknown_variable_is_refused_with_the_nearest_name",
    ),
    Defence(
        "pages without an origin of their own are no trusted origin",
        "validation/origins.py",
        "if script[1] in NO_PAGES:",
        "if script[1] is None:",
        "test_settings.py::test_what_cannot_work_or_is_not_safe_is_refused",
    ),
    Defence(
        "origins are compared in the form of browsers",
        "validation/origins.py",
        "host = text.lower() if text.isascii() else _ascii(text)",
        "host = text",
        "validation/test_origins.py::test_a_form_from_the_page_of_a_base_url_is_taken_in_any_spelling",
    ),
    Defence(
        "an address is normalized before it is looked at",
        "validation/email_address.py",
        'unicodedata.normalize("NFKC", without_margins(text))',
        "without_margins(text)",
        "validation/test_email_address.py::test_spellings_of_an_address_have_one_canonical_form",
    ),
    Defence(
        "marks around an address are removed",
        "validation/email_address.py",
        'unicodedata.normalize("NFKC", without_margins(text))',
        'unicodedata.normalize("NFKC", text)',
        "features/test_typed_text.py::test_marks_around_an_address_are_removed_at_every_endpoint",
    ),
    Defence(
        "an address is no public one by default",
        "features/passwords/feature.py",
        "public=not self.auth.settings.private_addresses",
        "public=False",
        "features/test_typed_text.py::test_a_setting_lets_addresses_of_private_networks_in",
    ),
    Defence(
        "a password for nobody costs as many hashes",
        "crypto/argon2.py",
        "dict.fromkeys([password, composed(password)])",
        "dict.fromkeys([password, composed(password) if hashed != self._decoy else password])",
        "crypto/test_compositions.py::test_a_wrong_password_costs_two_hashes_at_most_and_as_many_for_nobody",
    ),
    Defence(
        "marks without end are not sorted",
        "_typed_text.py",
        "if not text.isascii() and has_few_marks(text) else text",
        "if not text.isascii() else text",
        "crypto/test_compositions.py::test_a_wrong_password_costs_two_hashes_at_most_and_as_many_for_nobody",
    ),
    Defence(
        "a redirect stays below the path of the app",
        "web/paths.py",
        'return target if plain == start or plain.startswith(start + "/") else root + target',
        "return target if plain.startswith(start) else target",
        "pages/test_sub_paths.py::test_a_login_stays_below_the_path",
    ),
    Defence(
        "no redirect leads up",
        "validation/targets.py",
        'and "//" not in decoded and not leads_up',
        'and "//" not in decoded',
        "pages/test_sub_paths.py::test_a_login_stays_below_the_path",
    ),
    Defence(
        "a login whose cookies a browser drops is refused",
        "web/request_pipeline.py",
        "                check_site(scope, self._settings)\n",
        "                pass\n",
        "web/test_sites.py::test_a_login_whose_cookies_the_browser_drops_is_refused_with_the_reason",
    ),
    Defence(
        "a logout clears the data of the site",
        "web/request_pipeline.py",
        "await self._authenticator.forget(choice, scope) + clear",
        "await self._authenticator.forget(choice, scope)",
        "web/test_sites.py::test_the_end_of_a_session_with_cookies_clears_the_data_of_the_site",
    ),
    Defence(
        "a body that is refused for its fields counts by address",
        "feature/pipeline.py",
        "            await self.refused(endpoint, client, identity)\n            raise\n",
        "            raise\n",
        "features/test_refused_bodies.py::test_a_refused_body_counts_by_address",
    ),
    Defence(
        "a body that cannot be read counts by address",
        "web/request_pipeline.py",
        "            await self._pipeline.refused(route.endpoint, self.client(scope, identity), identity)\n",
        "",
        "features/test_refused_bodies.py::test_a_refused_body_counts_by_address",
    ),
    Defence(
        "names and words are common, too",
        "validation/password_policy.py",
        "return frozenset(chain.from_iterable(FREQUENCY_LISTS.values()))",
        'return frozenset(FREQUENCY_LISTS["passwords"])',
        "validation/test_password_policy.py::test_each_list_of_words_counts",
    ),
    Defence(
        "a common ending makes no password",
        "validation/password_policy.py",
        "        for end in range(size - endings, size + 1):",
        "        for end in range(size, size + 1):",
        "validation/test_password_policy.py"
        "::test_none_of_the_three_thousand_commonest_words_passes_in_capitals_or_with_a_common_ending",
    ),
]
