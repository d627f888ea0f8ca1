"""Defences against overload and servers in trouble; `mutations` takes them out."""

from tests.security.defences import Defence

OVERLOAD = [
    Defence(
        "all steps of a request share one deadline",
        "feature/pipeline.py",
        "with deadline(self._timeout) as bound:",
        "with deadline(3600) as bound:",
        "web/test_overload.py::test_calls_in_process_have_a_deadline_too",
    ),
    Defence(
        "requests in progress go before new ones",
        "storage/waiting_line.py",
        "group = self._begun if is_begun else self._new",
        "group = self._new",
        "storage/test_waiting_line.py::test_a_request_in_progress_goes_before_a_new_one",
    ),
    Defence(
        "a request that cannot end in time is refused at once",
        "storage/waiting_line.py",
        "return self._pace.wait(ahead) + self._pace.span <= deadline.left()",
        "return self._pace.places > ahead * 0",
        "storage/test_waiting_line.py::test_a_new_request_that_would_end_too_late_is_refused_at_once",
    ),
    Defence(
        "a silent server is asked by one call at a time",
        "bounds/breaker.py",
        "        while self.is_silent:",
        "        while self.is_silent and end < 0:",
        "bounds/test_breaker.py::test_while_the_server_is_silent_one_call_asks_and_the_others_are_refused",
    ),
    Defence(
        "a slow server is not taken for silent",
        "bounds/breaker.py",
        "if self._answered_at < since and ",
        "if ",
        "bounds/test_breaker.py::test_a_slow_server_is_not_silent",
    ),
    Defence(
        "a write that was refused does not run later",
        "storage/sqlite_writer.py",
        "    if waiting.answer.done():",
        "    if waiting is None:",
        "storage/test_overload_sqlite.py::test_a_write_in_sqlite_that_is_refused_does_not_run_later",
    ),
    Defence(
        "an answer that came too late for its call ends the silence",
        "storage/sqlite_writer.py",
        "            if not waiting:\n",
        "            if waiting is None:\n",
        "storage/test_group_commit.py::test_an_answer_for_which_no_call_waits_any_longer_ends_the_silence",
    ),
    Defence(
        "a loop that closes keeps no other loop from writing to memory",
        "storage/sqlite_connection.py",
        "                at_end()\n",
        "                pass\n",
        "storage/test_group_commit.py::test_a_loop_that_closes_during_a_group_keeps_no_other_loop_from_writing",
    ),
    Defence(
        "a server without room for more connections is waited for",
        "storage/postgres_pool.py",
        "            if has_no_room(error):\n",
        "            if has_no_room(error) is None:\n",
        "storage/test_pool_trouble.py::test_a_role_with_few_connections_serves_all_who_call",
    ),
    Defence(
        "a query whose connection was closed is run again",
        "storage/postgres_driver.py",
        "            if not is_lost(error):\n                raise\n",
        "            raise error\n",
        "storage/test_pool_trouble.py::test_a_connection_that_is_cut_costs_no_query_and_no_transaction_that_begins",
    ),
    Defence(
        "an idle connection is asked before a write is sent",
        "storage/postgres_pool.py",
        "if is_trusted or self._is_alive is None or await self._is_alive(connection):",
        "if is_trusted or self._is_alive is None or connection:",
        "storage/test_pool_trouble.py::test_an_idle_connection_is_asked_before_a_write_is_sent",
    ),
    Defence(
        "a call whose pooled connection Redis has closed is made again",
        "limits/redis.py",
        "            await client.connection_pool.disconnect(inuse_connections=False)",
        "            raise",
        "limits/test_redis_faults.py::test_after_a_restart_no_pooled_connection_costs_a_call",
    ),
    Defence(
        "the call that asks a silent server waits for a moment only",
        "bounds/breaker.py",
        "bound.reschedule(end if full is None else min(end, full))",
        "bound.reschedule(full)",
        "bounds/test_breaker.py::test_the_call_that_asks_waits_for_a_moment_only",
    ),
]
