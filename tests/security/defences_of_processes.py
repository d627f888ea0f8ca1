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
]
