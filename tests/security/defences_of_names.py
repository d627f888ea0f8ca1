"""Defences of usernames."""

from tests.security.defence import Defence

NAMES = "features/test_usernames.py::"
CONCEALED = "features/test_usernames_concealed.py::"
ACCOUNTS = "security/test_concealment.py::"
NAMES_OF_ACCOUNTS = [
    Defence(
        "username: a name is resolved before guesses are counted",
        "feature/account_names.py",
        "return left | {endpoint.names: address},",
        "return left | {endpoint.names: address if field == endpoint.names else f'{name}@names.test'},",
        NAMES + "test_a_name_is_kept_as_typed_and_logs_in_in_any_case",
    ),
    Defence(
        "username: an unknown name has one count in every spelling",
        "features/usernames/feature.py",
        "without_margins(name).casefold().encode()",
        "name.encode()",
        NAMES + "test_an_unknown_name_has_one_address_in_every_spelling",
    ),
    Defence(
        "username: an unknown name costs what a known one does",
        "features/usernames/feature.py",
        "user = await self.find(name)",
        "user = await self.find(name) if name.lower() == 'ada' else None",
        CONCEALED + "test_an_unknown_name_is_answered_alike_after_equal_work",
    ),
    Defence(
        "username: a request is bound to the name that was given",
        "accounts/one_time_tokens.py",
        "self._requests.answer(earlier, purpose.path, named or subject)",
        "self._requests.answer(earlier, purpose.path, subject)",
        NAMES + "test_what_becomes_of_a_name_changes_no_answer_to_a_request_of_before",
    ),
    Defence(
        "username: guesses at a name are counted for the name, whatever becomes of its account",
        "limits/rules.py",
        "keys = (self._name_in(call), account) if NAMED in call.notes else (account,)",
        "keys = (account,)",
        ACCOUNTS + "test_what_the_owner_does_between_two_requests_is_not_seen",
    ),
    Defence(
        "username: mails by a name are counted for the name",
        "accounts/mail_budget.py",
        "return await self._take_by_name(self._windows(purpose, name, asker, known=bool(known)), windows)",
        "return await self._take_by_name([], windows)",
        "accounts/test_mail_budget.py::test_a_name_has_work_for_as_many_mails_as_an_address_whatever_others_ask_for_there",
    ),
    Defence(
        "username: mails by a name are counted for the address as well",
        "accounts/mail_budget.py",
        'return "decoy" if any([await self._is_over(window) for window in of_address]) else "mail"',
        'return "mail"',
        "accounts/test_mail_budget.py::test_mails_by_name_and_by_address_have_one_bound",
    ),
    Defence(
        "username: a decoy leaves the mails of before alone",
        "accounts/one_time_tokens.py",
        'another = self._requests.answer("", purpose.path, named)',
        "another = request",
        "accounts/test_mail_budget.py::test_mails_by_name_and_by_address_have_one_bound",
    ),
    Defence(
        "username: another name needs a fresh login",
        "features/usernames/feature.py",
        "await self.auth.pipeline.admission.prove(call.identity)",
        "call.identity.require()",
        "features/test_usernames_changed.py::test_another_name_needs_a_fresh_login_and_the_same_name_none",
    ),
    Defence(
        "username: reserved in any case",
        "features/usernames/reserved.py",
        "if name.lower() in self.names:",
        "if name in self.names:",
        NAMES + "test_a_reserved_name_is_refused_in_any_case_and_in_the_language_of_the_page",
    ),
    Defence(
        "username: exactly one field names the account",
        "feature/account_names.py",
        "if others and len(given) != 1:",
        "if others and not given:",
        NAMES + "test_exactly_one_field_names_the_account",
    ),
]
