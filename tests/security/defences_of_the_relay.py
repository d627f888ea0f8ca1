"""Defences of the relay, by which the processes of a host share their knowledge of revocations."""

from tests.security.defences import Defence

RELAYED, SOCKET = "sessions/test_relay.py::", "sessions/test_relay_socket.py::"
RELAY = [
    Defence(
        "relay: what is told is no fresher than the look",
        "sessions/revocation.py",
        "self._known_until = min(look.until, look.started + self._lag)",
        "self._known_until = time.monotonic() + self._lag",
        RELAYED + "test_what_is_told_is_as_old_as_the_look",
    ),
    Defence(
        "relay: a page that was too long is read",
        "sessions/revocation.py",
        "if look.changes is None or abs(passed - shown) > self._leeway:\n            return False\n",
        "if look.changes is None:\n            return True\n",
        RELAYED + "test_a_look_that_cannot_be_judged_is_made_again",
    ),
    Defence(
        "relay: an older look takes back no change of this process",
        "sessions/changed_roles.py",
        "if started >= self._own_changes.get(user_id, NEVER):",
        "if True:",
        RELAYED + "test_an_older_look_does_not_take_back_what_this_process_changed",
    ),
    Defence(
        "relay: this process looks before it is told",
        "sessions/relay/relay.py",
        "            await self._revocation.sync()\n            self.role",
        "            self.role",
        RELAYED + "test_what_was_ended_before_a_process_was_told_is_known",
    ),
    Defence(
        "relay: the socket is the owner's alone",
        "sessions/relay/socket_file.py",
        "OWNER_ONLY = 0o600",
        "OWNER_ONLY = 0o666",
        SOCKET + "test_the_socket_is_for_the_user_of_the_process_alone",
    ),
    Defence(
        "relay: a process of another user is told nothing",
        "sessions/relay/socket_file.py",
        "    if user != os.geteuid():\n",
        "    if user is None:\n",
        SOCKET + "test_the_socket_is_for_the_user_of_the_process_alone",
    ),
    Defence(
        "relay: a socket of another user is not trusted",
        "sessions/relay/client.py",
        "            require_own_file(path)\n",
        "",
        SOCKET + "test_a_socket_of_another_user_is_not_trusted",
    ),
    Defence(
        "relay: a process that does not read is cut off",
        "sessions/relay/server.py",
        "if writer.transport.get_write_buffer_size() > MAX_WAITING:",
        "if False:",
        SOCKET + "test_a_process_that_does_not_read_is_cut_off",
    ),
    Defence(
        "relay: messages have a bound",
        "sessions/relay/messages.py",
        "    if len(content) > MAX_MESSAGE:\n",
        "    if len(content) > 2**31:\n",
        SOCKET + "test_a_page_that_is_too_long_is_told_without_its_changes",
    ),
    Defence(
        "relay: another installation is told nothing",
        "sessions/relay/server.py",
        "(theirs.version, theirs.installation) != (mine.version, mine.installation) or",
        "theirs.version != mine.version or",
        SOCKET + "test_only_processes_of_the_same_version_installation_and_clock_are_told",
    ),
    Defence(
        "relay: the time of another clock is not taken",
        "sessions/relay/client.py",
        "if not before <= theirs.clock <= time.monotonic():",
        "if theirs.clock < 0:",
        SOCKET + "test_only_processes_of_the_same_version_installation_and_clock_are_told",
    ),
    Defence(
        "relay: no file of another program is deleted",
        "sessions/relay/socket_file.py",
        "if not stat.S_ISSOCK(os.lstat(path).st_mode):",
        "if not os.lstat(path):",
        RELAYED + "test_without_the_relay_each_looks_for_itself",
    ),
    Defence(
        "relay: a forked child keeps no lock",
        "sessions/relay/socket_file.py",
        "        renew_after_fork(self)\n",
        "",
        SOCKET + "test_a_forked_child_does_not_keep_the_lock",
    ),
]
