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
    Defence(
        "only the host of the site makes an absolute target a path",
        "validation/targets.py",
        "if found is None or found[1].lower() not in {host.lower() for host in hosts}:",
        "if found is None or not hosts:",
        "hosts/test_leading.py::test_an_absolute_target_of_this_site_is_taken_and_no_other",
    ),
    Defence(
        "a user that the host refuses is not sent back and forth",
        "pages/page_visit.py",
        "came_back = turn == TURNS",
        "came_back = turn > TURNS",
        "hosts/test_leading.py::test_a_guard_of_the_host_that_redirects_ends_in_a_page",
    ),
    Defence(
        "a login page that is refused itself is not redirected to",
        "middleware.py",
        "known = {BY: self.auth} if self._served is not None else {BY: None}",
        "known = {BY: self.auth}",
        "hosts/test_leading.py::test_a_host_that_mounts_the_routes_and_requires_a_login_leads_no_one_in_a_circle",
    ),
    Defence(
        "a client with a bearer token is not led",
        "pages/leading.py",
        "if has_bearer or identity.kind not in",
        "if identity.kind not in",
        "hosts/test_leading.py::test_every_host_leads_browsers_and_no_one_else",
    ),
    Defence(
        "a host believes no peer that is not a trusted proxy",
        "web/forwarded.py",
        "    if not proxies_of(tuple(settings.trusted_proxies)).trusts_peer(scope, peer):\n",
        "    if not scope:\n",
        "web/test_forwarded.py::test_no_other_peer_is_believed",
    ),
    Defence(
        "a session of MCP belongs to the user who began it",
        "hosts/mcp.py",
        'if scope["type"] == "http" and identity.is_authenticated:',
        'if scope["type"] == "http" and not scope:',
        "hosts/test_mcp.py::test_a_tool_knows_who_asks_now_and_a_session_belongs_to_its_user",
    ),
]
