"""Takes defences out, one at a time, and shows that the test that is named for each then fails.

`python -m tests.security.mutations [word]` works on a copy in a temporary folder; it prints a table, and ends with 1
when a test doesn't notice, or when a defence isn't where it was.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
COPIED = ("asgi_auth", "tests", "examples", "pyproject.toml", "README.md", "SECURITY.md")


@dataclass(frozen=True)
class Mutation:
    """A defence, where it stands, what stands there without it, and the test that then fails."""

    defence: str
    file: str
    old: str
    new: str
    test: str

    def stands(self, root: Path = ROOT) -> bool:
        """Whether the defence stands in the source exactly once."""
        return (root / "asgi_auth" / self.file).read_text("utf-8").count(self.old) == 1

    def taken_out(self, root: Path) -> bool:
        """Run the test without the defence; tell whether it failed, as it should."""
        path = root / "asgi_auth" / self.file
        source = path.read_text("utf-8")
        path.write_text(source.replace(self.old, self.new), "utf-8")
        try:
            return run(root, [self.test]) == 1
        finally:
            path.write_text(source, "utf-8")


MUTATIONS = [
    Mutation(
        "the header of a token is one that we could have written",
        "tokens.py",
        "verify = self._verifiers.get(header)",
        "verify = next(iter(self._verifiers.values()))",
        "security/test_tokens_forged.py::test_no_token_with_another_header_gets_through",
    ),
    Mutation(
        "a signature is checked",
        "tokens.py",
        "if not verify(signed.encode(), base64url_decode(signature)):",
        "if verify(signed.encode(), base64url_decode(signature)) is None:",
        "test_tokens.py::test_a_changed_claim_is_refused_without_our_key",
    ),
    Mutation(
        "a token is for this audience",
        "tokens.py",
        "claims.iss != settings.issuer or claims.aud != settings.audience",
        "claims.iss != settings.issuer",
        "security/test_tokens_forged.py::test_a_token_for_another_service_with_the_same_key_is_refused",
    ),
    Mutation(
        "a signature has one spelling",
        "tokens.py",
        "if verify is None or not _is_canonical(signature):",
        "if verify is None:",
        "test_tokens.py::test_another_spelling_of_a_good_token_is_refused",
    ),
    Mutation(
        "a token expires",
        "tokens.py",
        "raise TokenExpiredError",
        "pass",
        "test_tokens.py::test_expiry_is_judged_to_the_second_by_the_clock",
    ),
    Mutation(
        "a remembered token is asked for its revocation",
        "identify.py",
        "if claims.sid in self._revocation.dead or self._now() >= claims.exp + self._leeway:",
        "if self._now() >= claims.exp + self._leeway:",
        "test_middleware.py::test_a_remembered_token_is_still_judged_by_time_and_revocation",
    ),
    Mutation(
        "a refresh token is compared whole",
        "tokens.py",
        "if hmac.compare_digest(_refresh_text(key, session_id, generation), token):",
        "if _refresh_text(key, session_id, generation)[:40] == token[:40]:",
        "test_refresh_tokens.py::test_a_refresh_token_has_one_spelling_and_others_cost_no_statement",
    ),
    Mutation(
        "a rotation compares and swaps",
        "storage/statements.py",
        "WHERE id = :session_id AND generation = :generation AND revoked_at IS NULL AND expires_at > :now",
        "WHERE id = :session_id AND :generation >= 0 AND revoked_at IS NULL AND expires_at > :now",
        "features/test_refresh.py::test_after_the_grace_reuse_ends_the_session_or_all_of_them",
    ),
    Mutation(
        "reuse ends the session",
        "login.py",
        "        await auth.end_sessions(session.user_id, only=only, client=client)\n        await auth.emit(events.TOKEN_REUSED",
        "        await auth.emit(events.TOKEN_REUSED",
        "features/test_refresh.py::test_after_the_grace_reuse_ends_the_session_or_all_of_them",
    ),
    Mutation(
        "a used token stays used",
        "storage/statements.py",
        "UPDATE {tokens} SET used_at = :now WHERE id = :id AND used_at IS NULL AND expires_at > :now RETURNING id",
        "UPDATE {tokens} SET used_at = :now WHERE id = :id AND expires_at > :now RETURNING id",
        "features/test_password_reset.py::test_of_many_concurrent_resets_exactly_one_succeeds",
    ),
    Mutation(
        "guesses at a code are counted",
        "storage/statements.py",
        "AND used_at IS NULL AND expires_at > :now AND attempts < :tries",
        "AND used_at IS NULL AND expires_at > :now AND :tries > 0",
        "features/test_password_reset.py::test_a_code_dies_after_five_guesses_and_the_link_does_not",
    ),
    Mutation(
        "a session wants the credential as it was verified",
        "storage/statements.py",
        "UPDATE {credentials} SET last_used_at = :now WHERE id = :id AND version = :version RETURNING id",
        "UPDATE {credentials} SET last_used_at = :now WHERE id = :id AND :version > 0 RETURNING id",
        "features/test_passwords.py::test_a_login_that_verified_the_old_password_leaves_no_session_after_a_change",
    ),
    Mutation(
        "a reset ends the sessions",
        "features/password_reset.py",
        "ended = await storage.end_sessions(user.id, now)",
        "ended = list[str]()",
        "features/test_password_reset.py::test_a_reset_sets_the_password_ends_all_sessions_and_logs_nobody_in",
    ),
    Mutation(
        "a reset is one transaction",
        "features/password_reset.py",
        "async with self.auth.storage.transaction() as storage:",
        "if storage := self.auth.storage:",
        "security/test_atomicity.py::test_a_flow_that_breaks_off_leaves_nothing_or_everything",
    ),
    Mutation(
        "verification ends the sessions from before",
        "features/email_verification.py",
        "ended = await storage.end_sessions(user_id, now, keep=keep) if user else []",
        "ended = [keep for _ in ()]",
        "features/test_email_verification.py::test_verification_ends_the_sessions_from_before_but_the_own",
    ),
    Mutation(
        "a disabled user gets no session",
        "login.py",
        'if user.status != "active":',
        'if user.status == "":',
        "security/test_one_gate.py::test_only_an_active_user_gets_tokens",
    ),
    Mutation(
        "a wanted second factor refuses",
        "login.py",
        "if wanted and not wanted.intersection(login.amr):",
        "if wanted and login.amr is None:",
        "security/test_one_gate.py::test_a_wanted_second_factor_stands_before_every_way_in",
    ),
    Mutation(
        "an unknown address costs a hash",
        "hashing.py",
        "return await self._run(self._fits, hashed or self._decoy, password)",
        "return hashed is not None and await self._run(self._fits, hashed, password)",
        "test_hashing.py::test_the_decoy_has_todays_cost_and_never_verifies",
    ),
    Mutation(
        "the queue of hashes is bounded",
        "hashing.py",
        "if self._pending >= self._limit:",
        "if self._pending < 0:",
        "test_hashing.py::test_a_full_queue_is_refused_at_once",
    ),
    Mutation(
        "common passwords are refused",
        "password_policy.py",
        "if self.refuse_common and is_common(folded):",
        "if self.refuse_common and not folded:",
        "features/test_passwords.py::test_a_password_against_the_policy_is_refused_before_it_is_hashed",
    ),
    Mutation(
        "cookies want a page of ours",
        "recognise.py",
        '        if scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS:\n'
        "            check_origin(scope, self._auth.settings)\n",
        "",
        "test_cookies.py::test_unsafe_requests_with_cookies_come_from_our_pages_only",
    ),
    Mutation(
        "a login that asks for cookies wants a page of ours",
        "app.py",
        '(shown.by_cookie or (transport == "cookie" and endpoint.gives_tokens))',
        "shown.by_cookie",
        "test_cookies.py::test_no_other_site_logs_a_browser_in",
    ),
    Mutation(
        "cookies are HttpOnly",
        "cookies.py",
        "Path=/; HttpOnly; SameSite=",
        "Path=/; SameSite=",
        "test_cookies.py::test_the_tokens_stand_in_cookies_and_never_in_the_body",
    ),
    Mutation(
        "a cookie that stands twice is refused",
        "credentials.py",
        "                if shown.access is not None:\n                    raise",
        "                if shown.access == '':\n                    raise",
        "test_middleware.py::test_doubled_and_oversized_credentials_are_a_400",
    ),
    Mutation(
        "answers can't be sniffed",
        "http.py",
        '    "x-content-type-options": "nosniff",\n',
        "",
        "security/test_http_hardening.py::test_every_answer_has_the_header",
    ),
    Mutation(
        "a JSON name stands once",
        "body.py",
        '            raise ValueError("a name stands twice")',
        "            continue",
        "test_body.py::test_what_is_not_one_plain_json_object_is_refused",
    ),
    Mutation(
        "unknown fields are refused",
        "feature.py",
        'errors[name] = [Reason("unknown")]',
        "continue",
        "features/test_passwords.py::test_nobody_assigns_fields_of_the_library_s_own",
    ),
    Mutation(
        "a session is ended by its own user alone",
        "storage/statements.py",
        "    WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :now\n        AND (CAST(:only",
        "    WHERE :user_id <> '' AND revoked_at IS NULL AND expires_at > :now\n        AND (CAST(:only",
        "features/test_sessions.py::test_an_own_session_can_be_ended_and_no_other",
    ),
    Mutation(
        "nothing forwarded is believed",
        "origins.py",
        "if not settings.trusted_proxies:",
        "if settings.trusted_proxies is None:",
        "security/test_authorization.py::test_forwarded_headers_change_neither_address_nor_link",
    ),
    Mutation(
        "user agents lose their control characters",
        "origins.py",
        'CONTROL.sub("", agent)[:MAX_USER_AGENT]',
        "agent",
        "features/test_sessions.py::test_the_list_shows_devices_and_which_is_this_one",
    ),
    Mutation(
        "who isn't logged in is refused where that is required",
        "middleware.py",
        'elif self._required and not identity.is_authenticated and scope.get("method") != "OPTIONS":',
        'elif self._required and scope["path"].endswith("/"):',
        "security/test_authorization.py::test_no_spelling_of_a_path_gets_around_the_middleware",
    ),
    Mutation(
        "a guessable secret is refused",
        "keys.py",
        "    if weak:\n",
        "    if weak is None:\n",
        "test_keys.py::test_a_secret_that_is_missing_short_or_guessable_is_refused",
    ),
    Mutation(
        "the log holds no values of statements",
        "storage/sqlite.py",
        "log.setLevel(logging.INFO)",
        "log.setLevel(logging.NOTSET)",
        "security/test_logs.py::test_the_log_holds_no_secret_and_no_address_whatever_happens",
    ),
    Mutation(
        "a clock that was ahead revives nothing",
        "revocation.py",
        "self._since is None or now < self._since",
        "self._since is None",
        "security/test_shared_state.py::test_a_clock_that_jumps_revives_nothing_that_is_dead",
    ),
    Mutation(
        "an address is normalised before it is looked at",
        "emails.py",
        'valid = validated(unicodedata.normalize("NFKC", text))',
        "valid = validated(text)",
        "test_emails.py::test_spellings_of_an_address_have_one_canonical_form",
    ),
    Mutation(
        "a login leads to places of this site alone",
        "pages/links.py",
        'return all(LOCAL.fullmatch(text) for text in (path, decoded)) and "//" not in decoded',
        'return path.startswith("/")',
        "pages/test_next.py::test_a_login_never_leads_to_where_it_may_not",
    ),
]


def run(root: Path, tests: Iterable[str]) -> int:
    """Run tests of a copy; 0 is passed, 1 is failed, and all else is no answer."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", *(f"tests/{name}" for name in tests)]
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False).returncode


def main(word: str = "") -> int:
    """Take each defence out whose name holds the word; print what happened."""
    chosen = [item for item in MUTATIONS if word in item.defence]
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, root / name)
        if run(root, sorted({item.test for item in chosen})) != 0:
            sys.stdout.write("the tests fail as things are\n")
            return 1
        for item in chosen:
            noticed = item.stands(root) and item.taken_out(root)
            survived += not noticed
            sys.stdout.write(f"{'noticed ' if noticed else 'SURVIVED'}  {item.defence}: {item.test}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - survived} of {len(chosen)} noticed\n")
    return 1 if survived or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
