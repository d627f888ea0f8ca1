"""Defences of what operators do: probes, commands and files of settings."""

from tests.security.defence import Defence

OPERATION = [
    Defence(
        "an unknown key of a file of settings is refused",
        "sources/toml.py",
        "        if name not in kinds:\n            meant",
        "        if name not in kinds:\n            continue\n            meant",
        "test_settings_files.py::test_what_cannot_be_read_is_refused_with_its_name",
    ),
    Defence(
        "probes at the same time cost one query",
        "features/health/feature.py",
        "if probe is None or probe.done():",
        "if True:",
        "features/test_health.py::test_callers_at_the_same_time_share_one_query",
    ),
    Defence(
        "a probe that goes away leaves the query to the others",
        "features/health/feature.py",
        "await asyncio.wait([probe])",
        "await asyncio.gather(probe, return_exceptions=True)",
        "features/test_health.py::test_a_caller_that_goes_away_leaves_the_query_to_the_others",
    ),
    Defence(
        "sealing anew overwrites no change of a request",
        "accounts/resealing.py",
        "if await storage.change_credential(found, secret=secret, now=int(self._now())) is not None:",
        "if await storage.change_credential(found, secret=secret, now=int(self._now())) is not None or True:",
        "accounts/test_resealing.py::test_a_row_that_is_changed_or_deleted_under_the_run_is_read_again",
    ),
    Defence(
        "a row that no secret opens is not sealed anew",
        "accounts/resealing.py",
        '            return "lost"',
        '            return "current"',
        "accounts/test_resealing.py::test_rows_that_no_secret_opens_are_counted_and_left",
    ),
    Defence(
        "a login seals its own row anew",
        "features/totp/feature.py",
        "return None if vault.is_current(credential.secret) else",
        "return None if credential.secret else",
        "accounts/test_resealing.py::test_a_login_seals_its_own_row_anew",
    ),
    Defence(
        "a terminal does not interpret what users have sent",
        "command/output.py",
        'return "".join(char if char.isprintable() else "\\ufffd" for char in str(text))',
        "return str(text)",
        "command/test_users.py::test_what_users_have_sent_does_not_reach_the_terminal_as_it_is",
    ),
    Defence(
        "without a terminal no password is asked for",
        "command/password.py",
        'warnings.simplefilter("error", getpass.GetPassWarning)',
        'warnings.simplefilter("ignore", getpass.GetPassWarning)',
        "command/test_processes.py::test_without_a_terminal_there_is_no_prompt",
    ),
    Defence(
        "the configuration is shown without secrets",
        "command/configuration.py",
        'return f"{len(settings.secrets)} hidden"',
        "return str(value)",
        "command/test_refusals.py::test_nothing_secret_is_printed",
    ),
    Defence(
        "a command that reads changes no tables",
        "command/command.py",
        "            if reads:\n",
        "            if not reads:\n",
        "command/test_refusals.py::test_tables_that_are_missing_are_named_and_reading_makes_none",
    ),
    Defence(
        "a database in memory is not filled for nothing",
        "command/command.py",
        'if path == ":memory:":',
        'if path == "":',
        "command/test_refusals.py::test_a_configuration_that_is_not_valid_is_wrong_use",
    ),
]
