"""Defences where a host hands work over, and where it stops after the answer."""

from tests.security.defence import Defence

HOSTS = [
    Defence(
        "a decoy waits as long as a mail",
        "mail/delivery.py",
        "        if not real:\n",
        "        if not handed:\n",
        "mail/test_before_the_answer.py::test_a_decoy_waits_as_long_as_a_recent_mail",
    ),
    Defence(
        "what a scope says of a user is an identity",
        "sessions/handover.py",
        "return identity if isinstance(identity, Identity) else ANONYMOUS",
        "return identity or ANONYMOUS",
        "hosts/test_handover.py::test_what_the_middleware_has_not_seen_is_anonymous",
    ),
    Defence(
        "a block of a user ends",
        "sessions/handover.py",
        "            current.reset(token)\n",
        "            del token\n",
        "hosts/test_handover.py::test_blocks_nest_and_end_with_an_error_and_in_another_context",
    ),
    Defence(
        "mails and records come before the answer of a host that then stops",
        "bounds/settling.py",
        "        if self._enabled and _handed.get() is None:\n",
        "        if not self and _handed.get() is None:\n",
        "mail/test_before_the_answer_served.py::test_mails_are_sent_and_records_stored_before_each_answer",
    ),
]
