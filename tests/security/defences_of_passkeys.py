"""Defences of passkeys."""

from tests.security.defence import Defence

ROOM = "features/passkeys/"
CEREMONIES = "passkeys/test_ceremonies.py::"
CHALLENGES = "passkeys/test_challenges.py::"
NEW = "passkeys/test_new_keys.py::"
MANAGING = "passkeys/test_managing.py::"
SIGN_UP = "passkeys/test_signing_up.py::"
PASSKEYS = [
    Defence(
        "a page in a frame of another site uses no passkey",
        ROOM + "sent.py",
        'or data.get("crossOrigin", False) is not False or "topOrigin" in data:',
        "or False:",
        CEREMONIES + "test_a_page_in_a_frame_of_another_site_is_refused",
    ),
    Defence(
        "a challenge is for one purpose and one holder",
        ROOM + "challenges.py",
        'return hmac.digest(key, b"".join(struct.pack(">I", len(part)) + part for part in parts) + body, "sha256")',
        'return hmac.digest(key, b"".join(list(parts)[:0]) + body, "sha256")',
        CHALLENGES + "test_a_challenge_serves_its_purpose_and_its_holder_alone",
    ),
    Defence(
        "a challenge lasts five minutes",
        ROOM + "challenges.py",
        "return -self._leeway <= int(self._now()) - _time_of(challenge) < TTL",
        "return _time_of(challenge) > 0",
        CHALLENGES + "test_a_challenge_lasts_five_minutes",
    ),
    Defence(
        "a challenge is used once",
        ROOM + "challenges.py",
        "(await self._storage.count(digest, _time_of(challenge), 2 * TTL)).count == 1",
        "(await self._storage.count(digest, _time_of(challenge), 2 * TTL)).count > 0",
        CHALLENGES + "test_a_challenge_is_used_once_whatever_becomes_of_the_counters",
    ),
    Defence(
        "a text in base64 has one spelling",
        ROOM + "sent.py",
        "if encoded(value) != text:",
        "if not value and text:",
        CEREMONIES + "test_each_changed_field_of_a_use_is_refused",
    ),
    Defence(
        "a passkey alone has verified its user",
        ROOM + "ceremonies.py",
        "require_user_verification=verified,",
        "require_user_verification=False,",
        CEREMONIES + "test_a_passkey_alone_must_have_verified_its_user",
    ),
    Defence(
        "a new passkey has verified its user",
        ROOM + "ceremonies.py",
        "require_user_verification=True,",
        "require_user_verification=False,",
        NEW + "test_a_new_passkey_is_what_was_asked_for",
    ),
    Defence(
        "a new passkey has an algorithm that was asked for, and a key that verifies",
        ROOM + "ceremonies.py",
        "    _checked(_load, found.credential_public_key)\n",
        "",
        NEW + "test_a_new_passkey_is_what_was_asked_for",
    ),
    Defence(
        "the id of a passkey is not too long",
        ROOM + "ceremonies.py",
        "if not 0 < len(found.credential_id) <= MAX_ID or",
        "if",
        NEW + "test_an_id_has_1023_bytes_at_most",
    ),
    Defence(
        "the passkey of another user finishes no login",
        ROOM + "base.py",
        "if not is_owner or not await self.challenges.use(challenge):",
        "if not await self.challenges.use(challenge):",
        CEREMONIES + "test_a_passkey_without_a_user_handle_of_another_user_finishes_no_login",
    ),
    Defence(
        "the user handle names the user",
        ROOM + "ceremonies.py",
        "not hmac.compare_digest(decoded(named), handle)",
        "not handle",
        CEREMONIES + "test_the_user_handle_names_the_user",
    ),
    Defence(
        "a counter that does not go up is a copy",
        ROOM + "base.py",
        "and use.counter <= current.data",
        "and use.counter < 0 * current.data",
        CEREMONIES + "test_a_counter_that_does_not_go_up_tells_of_a_copy",
    ),
    Defence(
        "a synced passkey stays one",
        ROOM + "base.py",
        'if current is None or (current.data["eligible"] and not use.eligible):',
        "if current is None:",
        CEREMONIES + "test_a_passkey_becomes_one_that_is_synced_and_never_the_reverse",
    ),
    Defence(
        "the number of passkeys is judged under the lock",
        ROOM + "managing.py",
        "if len(await storage.credentials(user.id, KIND)) >= self._most:",
        "if not storage:",
        MANAGING + "test_no_more_passkeys_than_most_however_many_are_added_at_once",
    ),
    Defence(
        "the last way in stays",
        ROOM + "managing.py",
        "user = await self.auth.ways_in.keep_one(storage, identity.id, int(self.auth.now()))",
        "user = await identity.load()",
        MANAGING + "test_the_last_way_in_stays",
    ),
    Defence(
        "a deleted passkey takes mfa from the sessions",
        ROOM + "managing.py",
        "await self.auth.factors.removed(storage, user)",
        "_ = user",
        MANAGING + "test_the_last_second_factor_takes_recovery_codes_and_mfa_with_it",
    ),
    Defence(
        "a passkey wants a fresh login and the factor that there is",
        ROOM + "managing.py",
        "await self.auth.pipeline.admission.prove(caller)",
        "_ = caller.id",
        MANAGING + "test_who_adds_a_passkey_has_a_fresh_login_a_factor_and_a_verified_address",
    ),
    Defence(
        "a passkey wants a verified address",
        ROOM + "managing.py",
        "if self.auth.get(RegistrationService) is not None and not user.email_verified:",
        "if not user.email:",
        MANAGING + "test_who_adds_a_passkey_has_a_fresh_login_a_factor_and_a_verified_address",
    ),
    Defence(
        "the challenge of a sign-up is for one address and one user",
        ROOM + "signing_up.py",
        "if not self.challenges.fits(challenge, SIGN_UP, address.canonical, request):",
        "if not challenge:",
        SIGN_UP + "test_a_challenge_is_for_one_address_and_one_user_for_five_minutes_and_once",
    ),
    Defence(
        "the challenge of a sign-up is used once",
        ROOM + "signing_up.py",
        "if not await self.challenges.use(challenge):",
        "if await self.challenges.use(challenge) is None:",
        SIGN_UP + "test_a_challenge_is_for_one_address_and_one_user_for_five_minutes_and_once",
    ),
    Defence(
        "a passkey makes no account before its address is proven",
        ROOM + "signing_up.py",
        "if registration is None:",
        "if registration is None or user.email:",
        SIGN_UP + "test_the_code_of_the_mail_makes_an_account_without_a_password",
    ),
    Defence(
        "no link of a mail gives an account to a passkey",
        "accounts/registration.py",
        "by_link=pending.has_password,",
        "by_link=True,",
        SIGN_UP + "test_the_code_of_the_mail_makes_an_account_without_a_password",
    ),
    Defence(
        "no link of a mail that is sent again gives an account to a passkey",
        "accounts/registration.py",
        "by_link=pending is None or pending.has_password,",
        "by_link=True,",
        SIGN_UP + "test_the_mail_that_is_sent_again_has_no_link_either",
    ),
    Defence(
        "a passkey opens one account",
        "accounts/registration.py",
        "if added is None or await storage.add_credential(msgspec.structs.replace(credential, user_id=added.id)):",
        "if added is None or await storage.add_credential(msgspec.structs.replace(credential, user_id=added.id)) + 1:",
        SIGN_UP + "test_a_passkey_opens_one_account_however_many_registrations_have_it",
    ),
    Defence(
        "a sign-up does not tell a known address",
        ROOM + "signing_up.py",
        "if not self.auth.conceals and await",
        "if await",
        SIGN_UP + "test_a_known_address_is_answered_alike_and_keeps_its_ways_in",
    ),
    Defence(
        "a reset voids a setup",
        ROOM + "managing.py",
        "CREATE, user.id, holder, await self.auth.factors.state(user)):",
        "CREATE, user.id, holder, await self.auth.factors.state(user)) and False:",
        MANAGING + "test_a_reset_and_a_removal_of_factors_void_a_setup",
    ),
]
