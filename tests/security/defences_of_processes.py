"""Defences of forked children, and of work in the background: a part of the list of `defences`."""

from tests.security.defences import Defence

PROCESSES = [
    Defence(
        "a forked child has hashing threads",
        "crypto/argon2.py",
        "        leave_behind(self._pool)\n        self._start()\n",
        "        leave_behind(self._pool)\n",
        "test_fork.py::test_a_child_forked_after_a_loop_answers",
    ),
    Defence(
        "a forked child has threads for mails",
        "mail/mailers.py",
        "        leave_behind(self._waiting)\n        self._start()\n",
        "        leave_behind(self._waiting)\n",
        "test_fork.py::test_a_child_shares_nothing_of_one_process",
    ),
    Defence(
        "a forked child does not use the values of the parent's loops",
        "_per_loop.py",
        "        leave_behind(self._values)\n        self._values = {}\n",
        "        leave_behind(self._values)\n",
        "test_fork.py::test_a_child_shares_nothing_of_one_process",
    ),
    Defence(
        "a SQLite file is closed before a fork",
        "storage/sqlite_fork.py",
        "            _files.add(self)\n",
        "            pass\n",
        "test_fork.py::test_the_write_ahead_log_of_a_child_outlives_the_parent",
    ),
    Defence(
        "a fork ends a transaction as a whole",
        "storage/sqlite_fork.py",
        "            if self._cut:\n                raise StorageUnavailableError\n",
        "",
        "test_fork.py::test_a_fork_ends_a_transaction_and_nothing_of_it_remains",
    ),
    Defence(
        "a SQLite file that was open during a fork is not used in the child",
        "storage/sqlite_fork.py",
        "        _carried.add(self.path)\n",
        "",
        "test_fork.py::test_a_file_that_a_statement_keeps_open_is_refused_in_the_child",
    ),
    Defence(
        "no call waits for its hash without a bound",
        "crypto/argon2.py",
        "async with asyncio.timeout(left(LONGEST_WAIT)) as deadline:",
        "async with asyncio.timeout(None) as deadline:",
        "crypto/test_argon2.py::test_no_call_waits_for_its_hash_without_a_bound",
    ),
    Defence(
        "work in the background starts in an empty context",
        "process/background.py",
        ", context=Context())",
        ")",
        "test_shared_between_requests.py::test_work_in_the_background_sees_no_request",
    ),
    Defence(
        "the claims of a remembered token are frozen",
        "sessions/verifier.py",
        "MappingProxyType(frozen(raw))",
        "MappingProxyType(raw)",
        "test_shared_between_requests.py::test_no_request_changes_the_claims_of_another",
    ),
    Defence(
        "a filter that fails stops no request",
        "process/log.py",
        "        except Exception:",
        "        except ZeroDivisionError:",
        "events/test_receivers_that_fail.py::test_a_receiver_that_fails_changes_nothing",
    ),
    Defence(
        "a hook that awaits a cancelled task changes nothing",
        "events/hooks.py",
        "isinstance(error, asyncio.CancelledError) and is_cancelled()",
        "isinstance(error, asyncio.CancelledError)",
        "events/test_receivers_that_fail.py::test_a_receiver_that_fails_changes_nothing",
    ),
    Defence(
        "two features cannot offer one grant",
        "runtime/attach.py",
        "                if offered.setdefault(name, owner) != owner:",
        "                if not offered.setdefault(name, owner):",
        "feature/test_clashes.py::test_two_features_of_one_name_are_refused",
    ),
]
