"""Defences of extra fields of a user: a part of the list of `mutations`."""

from tests.security.defence import Defence

WAYS_IN = "validation/test_field_ways_in.py"
UNIQUE = "accounts/test_unique_values.py"
FIELDS = [
    Defence(
        "a value in process is checked like one of a request",
        "accounts/extra_fields.py",
        "values[name] = None if data[name] is None and not one.required else one.convert(data[name])",
        "values[name] = data[name]",
        f"{WAYS_IN}::test_the_same_check_holds_for_every_way_in",
    ),
    Defence(
        "a pattern is for the whole value",
        "validation/user_field.py",
        "self._pattern.fullmatch(item)",
        "self._pattern.match(item)",
        "validation/test_user_field.py::test_what_does_not_fit_is_refused_with_its_reason",
    ),
    Defence(
        "objects of users have a bound in levels",
        "validation/json_value.py",
        "if levels == 0:",
        "if levels == -90:",
        "validation/test_user_field.py::test_what_does_not_fit_is_refused_with_its_reason",
    ),
    Defence(
        "text inside of lists and objects has no NUL",
        "validation/json_value.py",
        "return {storable_text(name): _checked(item, levels - 1) for name, item in value.items()}",
        "return {name: _checked(item, levels - 1) for name, item in value.items()}",
        "validation/test_user_field.py::test_what_does_not_fit_is_refused_with_its_reason",
    ),
    Defence(
        "a value that another user has is refused",
        "accounts/unique_values.py",
        "if not await storage.add_credential(each)]\n        if taken:",
        "if not await storage.add_credential(each)]\n        if False:",
        "storage/test_unique_values.py::test_of_registrations_in_many_processes_one_has_the_value",
    ),
    Defence(
        "a value that a user gives up is free",
        "accounts/unique_values.py",
        "await storage.delete_credential(user_id, each.id)",
        "pass",
        f"{UNIQUE}::test_a_value_belongs_to_one_user_and_is_free_again_when_it_is_given_up",
    ),
    Defence(
        "a concealed registration does not tell that a value is taken",
        "accounts/unique_values.py",
        'self._fields[name].unique == "public"',
        "self._fields[name].unique",
        f"{UNIQUE}::test_a_concealed_registration_tells_no_stranger_that_a_value_is_taken",
    ),
    Defence(
        "unique values stay with an account that changes hands",
        "accounts/ways_in.py",
        "for each in await storage.credentials(user_id) if not each.is_claim}",
        "for each in await storage.credentials(user_id)}",
        f"{UNIQUE}::test_claims_open_nothing_are_not_exported_and_stay_when_an_account_changes_hands",
    ),
    Defence(
        "a session of an administrator is no login of the user in PostgreSQL",
        "storage/statements/sessions.py",
        "= added.user_id AND added.is_own)",
        "= added.user_id)",
        "storage/test_last_login.py::test_a_login_that_is_refused_and_one_of_an_administrator_note_nothing",
    ),
    Defence(
        "a session of an administrator is no login of the user in SQLite",
        "storage/statements/triggers.py",
        """ AND instr(NEW.data, '"actor"') = 0""",
        "",
        "storage/test_last_login.py::test_a_login_that_is_refused_and_one_of_an_administrator_note_nothing",
    ),
    Defence(
        "a column rounds no value",
        "storage/field_columns.py",
        "if exact == kind or kind not in",
        "if kind or kind not in",
        "storage/test_values_of_hosts.py::test_a_value_that_a_column_would_round_is_refused",
    ),
    Defence(
        "a time that Python does not have keeps no user out",
        "storage/user_columns.py",
        "LEAST(GREATEST(FLOOR(EXTRACT(EPOCH FROM {0})), -62135596800), 253402300799)",
        "FLOOR(EXTRACT(EPOCH FROM {0}))",
        "storage/test_values_of_hosts.py::test_times_that_python_does_not_have_are_read",
    ),
    Defence(
        "an option has its declared type",
        "sources/kinds.py",
        "                check_kind(name, options[name], kind)",
        "                kind",
        "validation/test_options.py::test_what_is_wrong_is_said_without_the_value",
    ),
]
