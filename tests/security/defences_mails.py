"""Defences of the flows by mail."""

from tests.security.defence import Defence

MAILS = [
    Defence(
        "strangers do not use up the first registration of a network",
        "accounts/mail_budget.py",
        "if purpose.registers and not known and",
        "if not purpose.registers and not known and",
        "accounts/test_mail_budget.py::test_strangers_do_not_keep_a_newcomer_from_registering",
    ),
    Defence(
        "first registrations are bounded, too",
        "accounts/mail_budget.py",
        "self._window(DAY, NEWCOMERS,",
        "self._window(DAY, 999,",
        "accounts/test_mail_budget.py::test_no_number_of_strangers_has_more_mails_sent_to_a_person",
    ),
    Defence(
        "the first registration of an IPv6 network is that of its /48",
        "accounts/mail_budget.py",
        "networks_of(client.address)[-1:]",
        "networks_of(client.address)[:1]",
        "accounts/test_mail_budget.py::test_the_first_registration_of_a_network_is_one_whatever_its_addresses",
    ),
    Defence(
        "a mail voids those of the same asker only",
        "storage/statements/tokens.py",
        "AND asker = :asker AND id <> :id",
        "AND :asker <> 'x' AND id <> :id",
        "features/test_asking_again.py::test_a_mail_that_a_stranger_asks_for_voids_nothing",
    ),
    Defence(
        "wrong codes leave the link alone",
        "storage/statements/tokens.py",
        "WHERE digest = :digest AND purpose = :purpose AND used_at IS NULL",
        "WHERE digest = :digest AND purpose = :purpose AND attempts < 5 AND used_at IS NULL",
        "features/test_asking_again.py::test_five_wrong_codes_leave_the_link_alone_and_the_right_code_is_dead",
    ),
    Defence(
        "passwords beside a link are counted",
        "storage/statements/tokens.py",
        "AND expires_at > :now AND password_attempts < :tries",
        "AND expires_at > :now AND :tries > 0",
        "accounts/test_password_attempts.py::test_a_wrong_password_beside_a_right_code_counts",
    ),
    Defence(
        "what was not judged is no attempt at a password",
        "accounts/one_time_tokens.py",
        "            await self._storage.uncount_password(token.id)\n",
        "            pass\n",
        "accounts/test_password_attempts.py::test_a_busy_hasher_uses_up_no_attempt",
    ),
    Defence(
        "a request is repeated whatever is stored",
        "accounts/mail_requests.py",
        "self._is_genuine(earlier, path, subject)",
        "not self._is_genuine(earlier, path, subject)",
        "features/test_asking_again.py::test_a_request_goes_on_whether_a_mail_is_sent_or_not",
    ),
    Defence(
        "a request is bound to an address",
        "accounts/mail_requests.py",
        '"\\0".join(parts).encode()',
        '"\\0".join(parts[:2]).encode()',
        "features/test_asking_again.py::test_a_request_goes_on_whether_a_mail_is_sent_or_not",
    ),
    Defence(
        "a stranger has a few mails a day sent",
        "accounts/mail_budget.py",
        "KNOWN if known else STRANGER, kind",
        "KNOWN if known else 10**6, kind",
        "accounts/test_mail_budget.py::test_a_stranger_has_a_few_mails_a_day_sent_to_a_person",
    ),
    Defence(
        "strangers can't use up the mails of a known client",
        "accounts/mail_budget.py",
        '"known" if known else "stranger"',
        '"stranger"',
        "accounts/test_mail_budget.py::test_strangers_and_known_clients_have_all_of_their_budgets_whoever_asked_before",
    ),
    Defence(
        "a used token keeps no data",
        "storage/statements/tokens.py",
        "SET used_at = :now, data = '{{}}' WHERE id = :id",
        "SET used_at = :now WHERE id = :id",
        "accounts/test_traces.py::test_a_used_token_keeps_no_hash_while_the_account_lives",
    ),
    Defence(
        "a deleted user leaves no token about the address",
        "storage/sql.py",
        '            await storage.run(tokens.DELETE_TOKENS_OF, {"user_id": user_id})\n',
        "",
        "accounts/test_traces.py::test_a_deleted_account_leaves_no_address_and_no_hash",
    ),
    Defence(
        "the owner of a closed account is told",
        "accounts/letters.py",
        "return INACTIVE.get(user.status, active) if user is not None else None",
        "return active if user is not None else None",
        "features/test_inactive_accounts.py::test_the_owner_hears_that_the_account_is_not_active",
    ),
    Defence(
        "an account that is opened again is not purged",
        "accounts/user_editing.py",
        '(only_closed and user.status != "closed")',
        "(only_closed and not user.id)",
        "features/test_inactive_accounts.py::test_an_account_that_is_opened_during_the_purge_is_not_deleted",
    ),
    Defence(
        "a refusal about an address is no record of the caller",
        "events/stream.py",
        "            if not account:\n",
        "            if True:\n",
        "accounts/test_own_records.py::test_the_export_of_a_caller_does_not_tell_which_addresses_have_an_account",
    ),
    Defence(
        "concealment: a request for a mail about nobody costs the same statements",
        "accounts/one_time_tokens.py",
        '        if room == "mail":\n',
        '        if (user or to) and room == "mail":\n',
        "security/test_concealment.py::test_random_sequences_show_no_account",
    ),
    Defence(
        "concealment: a mail to nobody is written as well",
        "accounts/letters.py",
        "        self._delivery.send_later(write, decoy=not letter.to)\n",
        "        if letter.to:\n            self._delivery.send_later(write)\n",
        "security/test_concealment.py::test_random_sequences_show_no_account",
    ),
    Defence(
        "concealment: the password of nobody is hashed as well",
        "accounts/passwords.py",
        "        fits = await self.hasher.verify(credential.secret if credential else None, password)\n",
        """        if credential is None:
            return None
        fits = await self.hasher.verify(credential.secret, password)
""",
        "security/test_concealment.py::test_random_sequences_show_no_account",
    ),
    Defence(
        "concealment: a registration of a known address voids as little",
        "accounts/registration.py",
        '            voids="nothing",\n',
        '            voids="nothing" if known else "client",\n',
        "security/test_concealment.py::test_random_sequences_show_no_account",
    ),
    Defence(
        "concealment: a registration is looked for whether there is an account or not",
        "accounts/registration.py",
        "        found = await storage.recall_token(",
        "        found = None if known else await storage.recall_token(",
        "security/test_concealment.py::test_random_sequences_show_no_account",
    ),
    Defence(
        "concealment: a request is repeated whether there is an account or not",
        "accounts/one_time_tokens.py",
        "self._requests.answer(earlier, purpose.path",
        'self._requests.answer(earlier if user else "", purpose.path',
        "security/test_concealment.py::test_random_sequences_show_no_account",
    ),
    Defence(
        "concealment: a new address that is taken is asked like any other",
        "features/email_change/feature.py",
        '            voids="user",\n',
        '            voids="nothing" if taken else "user",\n',
        "security/test_concealment.py::test_a_user_who_asks_for_an_address_learns_nothing_of_it",
    ),
    Defence(
        "concealment: a closed account is told after its password alone",
        "features/passwords/feature.py",
        "        if user is None or credential is None:\n            raise InvalidCredentialsError()",
        """        if user is not None and user.status != "active":
            raise UserExistsError
        if user is None or credential is None:
            raise InvalidCredentialsError()""",
        "security/test_concealment.py::test_random_sequences_show_no_account",
    ),
]
