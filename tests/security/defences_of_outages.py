"""The defences of refreshes and of limits across outages and failovers of the database and of Redis."""

from tests.security.defence import Defence

OUTAGES = [
    Defence(
        "an outage prolongs the grace of no rotation before it",
        "sessions/outages.py",
        "return self._since - self._grace <= rotated_at <= until and",
        "return rotated_at <= until and",
        "sessions/test_outages.py::test_a_grace_that_an_outage_cut_is_given_again_once",
    ),
    Defence(
        "after an outage the grace ends",
        "sessions/outages.py",
        " and now - until <= self._grace\n",
        "\n",
        "features/test_refresh_across_outages.py"
        "::test_who_could_not_repeat_a_refresh_during_an_outage_does_it_afterwards",
    ),
    Defence(
        "no outage prolongs the grace without end",
        "sessions/outages.py",
        " or now - rotated_at > LONGEST + self._grace:",
        ":",
        "sessions/test_outages.py::test_an_outage_without_an_end_excuses_for_five_minutes_at_most",
    ),
    Defence(
        "a frozen process dates no outage back",
        "sessions/outages.py",
        "last = now if self._answered_at is None else max(self._answered_at, now - self._grace)",
        "last = now if self._answered_at is None else self._answered_at",
        "sessions/test_outages.py::test_a_process_that_was_frozen_dates_no_outage_back",
    ),
    Defence(
        "a client's failing requests are no outage",
        "sessions/rotation.py",
        "        rotated = await rotate_or_touch(\n",
        "        self._revocation.outages.failed()\n        rotated = await rotate_or_touch(\n",
        "features/test_refresh_across_outages.py::test_requests_that_fail_prolong_no_grace",
    ),
    Defence(
        "a token ahead revives no session that is known to have ended",
        "sessions/rotation.py",
        "        if session_id in self._revocation.dead:\n            raise TokenRevokedError\n",
        "",
        "features/test_refresh_across_outages.py::test_a_token_ahead_revives_no_session_that_this_process_saw_end",
    ),
    Defence(
        "a token raises only a session that is behind it",
        "storage/statements/sessions.py",
        '"generation < :generation AND"',
        '":generation >= 0 AND"',
        "storage/test_contract_sessions.py::test_a_token_ahead_raises_its_session",
    ),
    Defence(
        "every error of the Redis client is a 503",
        "limits/redis.py",
        "        except Exception as error:\n",
        "        except self._library.RedisError as error:\n",
        "limits/test_redis_failover.py::test_errors_outside_of_the_librarys_hierarchy_are_503_too",
    ),
    Defence(
        "a limit over servers of a cluster counts in all windows or in none",
        "limits/redis.py",
        "                await self._take_back(counted, now)\n",
        "                counted.clear()\n",
        "limits/test_redis_failover.py::test_a_call_that_a_cluster_refuses_leaves_no_window_behind",
    ),
]
