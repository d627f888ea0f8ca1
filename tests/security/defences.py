"""Defences, what stands there without them, and the test that then fails: `mutations` tries it."""

from tests.security.defence import SOURCE, Defence
from tests.security.defences_mails import MAILS
from tests.security.defences_of_attempts import ATTEMPTS
from tests.security.defences_of_databases import DATABASES
from tests.security.defences_of_hosts import HOSTS
from tests.security.defences_sessions import SESSIONS

__all__ = ["DEFENCES", "SOURCE", "Defence"]

DEFENCES = [
    *MAILS,
    *ATTEMPTS,
    *SESSIONS,
    *DATABASES,
    *HOSTS,
    Defence(
        "a used token stays used",
        "storage/statements/tokens.py",
        "SET used_at = :now, data = '{{}}' WHERE id = :id AND used_at IS NULL AND expires_at > :now",
        "SET used_at = :now, data = '{{}}' WHERE id = :id AND expires_at > :now",
        "features/test_password_reset.py::test_of_many_concurrent_resets_exactly_one_succeeds",
    ),
    Defence(
        "guesses at a code are counted",
        "storage/statements/tokens.py",
        "AND used_at IS NULL AND expires_at > :now AND attempts < :tries",
        "AND used_at IS NULL AND expires_at > :now AND :tries > 0",
        "features/test_password_reset.py::test_a_code_dies_after_five_guesses_and_the_link_does_not",
    ),
    Defence(
        "a reset ends the sessions",
        "features/password_reset/feature.py",
        "ended += await storage.end_sessions(user.id, now)",
        "ended += []",
        "features/test_password_reset.py::test_a_reset_sets_the_password_ends_all_sessions_and_logs_no_one_in",
    ),
    Defence(
        "a reset is one transaction",
        "features/password_reset/feature.py",
        "async with self.auth.storage.transaction() as storage:",
        "if storage := self.auth.storage:",
        "security/test_atomicity.py::test_a_flow_that_breaks_off_leaves_nothing_or_everything",
    ),
    Defence(
        "verification ends the sessions from before",
        "features/email_verification/feature.py",
        "ended = await storage.end_sessions(user.id, int(self.auth.now()), keep=keep)",
        "ended = [str(keep) for _ in ()]",
        "features/test_email_verification.py::test_verification_ends_the_earlier_sessions_but_the_current_one",
    ),
    Defence(
        "an unknown address costs a hash",
        "crypto/argon2.py",
        "return await self._run(self._matches, hashed or self._decoy, password)",
        "return hashed is not None and await self._run(self._matches, hashed, password)",
        "crypto/test_argon2.py::test_the_decoy_has_todays_cost_and_never_verifies",
    ),
    Defence(
        "the queue of hashes is bounded",
        "crypto/argon2.py",
        "            self.check_room()\n",
        "",
        "crypto/test_argon2.py::test_a_full_queue_is_refused_at_once",
    ),
    Defence(
        "common passwords are refused",
        "validation/password_policy.py",
        "if self.refuse_common and is_common(folded):",
        "if self.refuse_common and not folded:",
        "features/test_passwords.py::test_a_password_against_the_policy_is_refused_before_it_is_hashed",
    ),
    Defence(
        "cookies want a page of ours",
        "web/authenticator.py",
        '        if scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS:\n'
        "            check_origin(scope, self._settings)\n",
        "",
        "web/test_cookies.py::test_unsafe_requests_with_cookies_come_from_our_pages_only",
    ),
    Defence(
        "a login that asks for cookies wants a page of ours",
        "web/request_pipeline.py",
        'presented.by_cookie or presented.own or (transport == "cookie" and endpoint.gives_tokens)',
        "presented.by_cookie",
        "web/test_cookies.py::test_no_other_site_logs_a_browser_in",
    ),
    Defence(
        "cookies are HttpOnly",
        "web/cookies.py",
        "Path=/; HttpOnly; SameSite=",
        "Path=/; SameSite=",
        "web/test_cookies.py::test_the_tokens_stand_in_cookies_and_never_in_the_body",
    ),
    Defence(
        "answers can't be sniffed",
        "web/responses.py",
        '    "x-content-type-options": "nosniff",\n',
        "",
        "security/test_http_hardening.py::test_every_answer_has_the_header",
    ),
    Defence(
        "a JSON name stands once",
        "web/body.py",
        '            raise ValueError("a name occurs twice")',
        "            continue",
        "web/test_body.py::test_what_is_not_one_plain_json_object_is_refused",
    ),
    Defence(
        "unknown fields are refused",
        "feature/endpoint.py",
        'errors[name] = [Reason("unknown")]',
        "continue",
        "features/test_passwords.py::test_no_one_assigns_fields_of_the_library_s_own",
    ),
    Defence(
        "nothing forwarded is believed but from trusted proxies",
        "web/client_address.py",
        "        if not proxies.trusts(hop):\n",
        "        if hop == UNIX:\n",
        "web/test_client.py::test_the_rightmost_address_that_is_no_trusted_proxy_counts",
    ),
    Defence(
        "user agents lose their control characters",
        "web/client.py",
        'CONTROL.sub("", agent)[:MAX_USER_AGENT]',
        "agent",
        "features/test_sessions.py::test_the_list_shows_devices_and_which_is_this_one",
    ),
    Defence(
        "who isn't logged in is refused where that is required",
        "middleware.py",
        'if self._required and not identity.is_authenticated and scope.get("method") != "OPTIONS":',
        'if self._required and scope["path"].endswith("/"):',
        "security/test_authorization.py::test_no_spelling_of_a_path_gets_around_the_middleware",
    ),
    Defence(
        "a guessable secret is refused",
        "crypto/keys.py",
        "    if weak:\n",
        "    if weak is None:\n",
        "crypto/test_keys.py::test_a_secret_that_is_missing_short_or_guessable_is_refused",
    ),
    Defence(
        "a connection for lookups is read-only",
        "storage/sqlite_connection.py",
        "PRAGMA query_only = ON",
        "PRAGMA query_only = OFF",
        "storage/test_faults_sqlite.py::test_what_looks_rows_up_can_write_nothing",
    ),
    Defence(
        "a login leads to places of this site alone",
        "validation/targets.py",
        'return all(LOCAL.fullmatch(text) for text in (path, decoded)) and "//" not in decoded',
        'return path.startswith("/")',
        "pages/test_next.py::test_a_login_never_leads_to_where_it_may_not",
    ),
    Defence(
        "the length of an address is checked before it is normalized",
        "validation/email_address.py",
        "    if len(text) > MAX_LENGTH:\n        # Before",
        "    if not text:\n        # Before",
        "security/test_work_of_readers.py::test_no_text_costs_much_more_than_ascii",
    ),
    Defence(
        "no text is looked up that is too long for an address",
        "validation/email_address.py",
        "    if len(text) > MAX_LENGTH:\n        return None\n",
        "",
        "validation/test_email_address.py::test_what_is_longer_than_an_address_is_not_looked_up",
    ),
]
