"""Defences against servers of the database that vanish, hang, or change their role."""

from tests.security.defence import Defence

VANISHED = "storage/test_hosts.py::test_after_a_failover_no_idle_connection_costs_another_call"
FAILOVER = [
    Defence(
        "a host that swallows packets keeps no other host from serving",
        "storage/postgres_hosts.py",
        "            return STAGGER\n",
        "            return None\n",
        "storage/test_hosts.py::test_hosts_that_are_silent_refuse_or_do_not_fit_are_passed_over",
    ),
    Defence(
        "connections that lose the race are closed",
        "storage/postgres_hosts.py",
        "                attempt.add_done_callback(_close)\n",
        "                attempt.uncancel()\n",
        "storage/test_hosts.py::test_a_call_that_is_cancelled_leaves_no_connection",
    ),
    Defence(
        "a standby that is promoted while a host gives no answer is found",
        "storage/postgres_hosts.py",
        "        return AGAIN if self._failures else None\n",
        "        return None\n",
        "storage/test_hosts.py::test_a_standby_that_is_promoted_meanwhile_is_found_while_a_host_is_silent",
    ),
    Defence(
        "idle connections of a server that vanished are not used again",
        "storage/postgres_pool.py",
        "        while self._idle:\n            self._drop(self._idle.pop()[0])\n\n    async def close",
        "\n    async def close",
        VANISHED,
    ),
    Defence(
        "connections of a server that became a standby are not used again",
        "storage/postgres.py",
        "                if is_read_only(error) or (bound",
        "                if (bound",
        "storage/test_hosts.py::test_a_server_that_takes_no_writes_any_more_is_left",
    ),
    Defence(
        "a connection that listens in vain is replaced",
        "storage/postgres_listener.py",
        "                self._begin(self._check(connection))\n",
        "                pass\n",
        "storage/test_hosts.py::test_a_listener_that_is_cut_without_a_word_is_replaced",
    ),
    Defence(
        "the connection that listens verifies the certificate that its own URL asks for",
        "storage/postgres.py",
        "{**connect, **url.connect})",
        "connect)",
        "storage/test_url_options.py::test_the_connection_that_listens_has_the_options_of_its_own_url",
    ),
    Defence(
        "a commit that was given up keeps its place in the pool until the server is rid of it",
        "storage/postgres_pool.py",
        "            self._abandoned.add(connection, self._opened_at[connection], pending)\n",
        "            connection.terminate()\n            self._return(connection)\n",
        "storage/test_abandoned.py::test_commits_that_hang_never_take_more_connections_than_there_may_be",
    ),
    Defence(
        "commits that hang leave connections to calls that read",
        "storage/postgres_pool.py",
        "        if self._writing < self._most_writes:\n",
        "        if True:\n",
        "storage/test_abandoned.py::test_commits_that_hang_never_take_more_connections_than_there_may_be",
    ),
    Defence(
        "a commit that waits for a standby is not cancelled",
        "storage/postgres_abandoned.py",
        "                await asyncio.wait([pending])\n",
        "                pass\n",
        "storage/test_abandoned.py::test_a_commit_that_was_given_up_is_not_shown_before_a_standby_has_it",
    ),
    Defence(
        "a read that was given up is cancelled in the server",
        "storage/postgres_abandoned.py",
        "            await connection.close(timeout=TO_CLOSE)\n",
        "            terminate(connection)\n",
        "storage/test_abandoned.py::test_statements_that_are_given_up_are_cancelled_in_the_server",
    ),
    Defence(
        "the place of a connection behind a cut network is free when its session is gone",
        "storage/postgres_abandoned.py",
        "                if living is not None and entry.process not in living:\n",
        "                if False:\n",
        "storage/test_abandoned.py::test_behind_a_network_that_was_cut_the_server_tells_which_connections_it_is_rid_of",
    ),
]
