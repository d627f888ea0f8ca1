"""Defences of grants, and of the sessions of the clients that have one."""

from tests.security.defence import Defence
from tests.security.defences_of_resources import RESOURCES

CONTRACT = "storage/test_contract_grants.py::"
DOORS = "sessions/test_client_sessions.py::"
KINDS = "oauth/test_kinds_of_sessions.py::"
STATEMENTS = "storage/statements/sessions.py"
GRANTS = [
    *RESOURCES,
    Defence(
        "a refresh of the user meets no session of a client",
        STATEMENTS,
        "AND (grant_id IS NOT NULL) = CAST(:grant AS BOOLEAN) AND ",
        "AND COALESCE(CAST(:grant AS BOOLEAN), TRUE) IS NOT NULL AND ",
        DOORS + "test_a_refresh_token_of_a_client_gives_nothing_of_the_user",
    ),
    Defence(
        "a repeated refresh of the user gives no successor of a client",
        "sessions/rotation.py",
        "if lives.grant != (session.grant_id is not None):",
        "if lives.grant and session.grant_id is None:",
        DOORS + "test_a_refresh_token_of_a_client_gives_nothing_of_the_user",
    ),
    Defence(
        "the sessions of a grant count among themselves",
        STATEMENTS,
        "        AND COALESCE(grant_id, '') = COALESCE(CAST(:grant_id AS TEXT), '') AND id NOT IN (",
        "        AND COALESCE(CAST(:grant_id AS TEXT), '') IS NOT NULL AND id NOT IN (",
        CONTRACT + "test_the_sessions_of_a_grant_end_among_themselves_only",
    ),
    Defence(
        "sessions of clients are not listed as the user's own",
        STATEMENTS,
        "        AND grant_id IS NULL\n    ORDER BY created_at DESC",
        "    ORDER BY created_at DESC",
        DOORS + "test_connections_do_not_push_the_user_out",
    ),
    Defence(
        "a session of a client is not renewed by a step-up",
        STATEMENTS,
        "expires_at > :now\n        AND grant_id IS NULL\n        AND EXISTS",
        "expires_at > :now\n        AND EXISTS",
        CONTRACT + "test_a_session_of_a_grant_is_not_renewed",
    ),
    Defence(
        "a session does not outlive its grant",
        STATEMENTS,
        "SELECT COUNT(*) FROM {credentials} AS g WHERE g.id = s.grant_id AND g.user_id = s.user_id",
        "SELECT 1",
        CONTRACT + "test_a_session_does_not_outlive_its_grant_nor_become_an_own_one",
    ),
    Defence(
        "a session of a grant is added with the grant",
        "storage/sql_sessions.py",
        "if session.grant_id not in {None, credential.id}:",
        "if session.grant_id == credential:",
        CONTRACT + "test_the_credential_of_a_session_of_a_grant_is_the_grant",
    ),
    Defence(
        "a code of a client ends with all sessions",
        "sessions/ends.py",
        "for purpose in (PENDING_LOGIN, AUTHORIZATION_CODE)",
        "for purpose in (PENDING_LOGIN,)",
        "oauth/test_tokens.py::test_a_code_ends_with_all_sessions",
    ),
    Defence(
        "the name of a client ends no quotation",
        "features/authorization_server/names.py",
        " or each in QUOTES else",
        " else",
        "oauth/test_clients.py::test_a_name_ends_no_quotation_and_is_seen",
    ),
    Defence(
        "the name of a client is seen",
        "features/authorization_server/names.py",
        'UNSEEN.sub("", unicodedata.normalize("NFKC", name))',
        'unicodedata.normalize("NFKC", name)',
        "oauth/test_clients.py::test_a_name_ends_no_quotation_and_is_seen",
    ),
    Defence(
        "an outage after a code was used up does not lose the tokens",
        "features/authorization_server/tokens.py",
        "return self._tokens(session, roles, data",
        "return self._tokens(session, (await self._auth.users.get(session.user_id)).roles, data",
        "oauth/test_tokens.py::test_nothing_is_read_after_a_code_was_used_up",
    ),
    Defence(
        "slow names of strangers take no threads of the process",
        "outgoing.py",
        "self._names.submit(look_up)",
        "asyncio.get_running_loop()._default_executor.submit(look_up)",
        "test_outgoing_public.py::test_slow_names_end_in_time_and_hold_up_nothing_else",
    ),
    Defence(
        "a token of a client is a login at no endpoint",
        "sessions/tokens.py",
        "if claims.iss != issuer or claims.aud != audience",
        "if claims.iss == audience",
        KINDS + "test_a_token_of_a_client_is_a_login_at_no_endpoint",
    ),
    Defence(
        "refresh tokens of users and of clients have a key each",
        "sessions/tokens.py",
        'PURPOSES = ("refresh token", "refresh token of a client")',
        'PURPOSES = ("refresh token", "refresh token")',
        "oauth/test_tokens.py::test_a_refresh_token_of_a_client_is_not_genuine_among_those_of_users",
    ),
    Defence(
        "an outage does not use the answer of a user up",
        "features/authorization_server/feature.py",
        "async with self.auth.storage.transaction() as storage:",
        "if storage := self.auth.storage:",
        "oauth/test_rules.py::test_an_answer_that_an_outage_has_lost_can_be_sent_again",
    ),
    Defence(
        "no link leads through the server to the site of a stranger",
        "features/authorization_server/requests.py",
        'if uri.startswith("https:") and not client.is_configured:',
        "if False:",
        "oauth/test_rules.py::test_no_link_leads_through_the_server_to_the_site_of_a_stranger",
    ),
    Defence(
        "what the document of a client links to is never read",
        "features/authorization_server/documents.py",
        "            document = _judged(url, answer)\n",
        "            document = _judged(url, answer)\n"
        "            _ = await Outgoing(development=True).get(msgspec.json.decode(answer.body)['logo_uri'])\n",
        "oauth/test_documents.py::test_what_a_client_links_to_is_never_read",
    ),
    Defence(
        "no browser loads what a client links to",
        "pages/feature.py",
        "images = [\"'self'\",",
        'images = ["*",',
        "browser/test_consent.py::test_browsers_load_nothing_of_a_client",
    ),
    Defence(
        "a client has no name that looks like one of ours",
        "features/authorization_server/names.py",
        ".translate(LOOK_ALIKES)",
        "",
        "oauth/test_clients.py::test_registration_stores_nothing_and_takes_no_name_of_ours",
    ),
    Defence(
        "marks of a name cover nothing around it",
        "features/authorization_server/names.py",
        "_with_few_marks(STACKED",
        "(STACKED",
        "oauth/test_clients.py::test_a_name_ends_no_quotation_and_is_seen",
    ),
    Defence(
        "the host of a client stands beside its name",
        "features/authorization_server/templates/authorize.html",
        'goes", host=data.host)',
        'goes", host=data.name)',
        "oauth/test_clients.py::test_the_host_stands_beside_every_name",
    ),
    Defence(
        "one network reads few documents at once",
        "features/authorization_server/documents.py",
        'f"for {asker}": FOR_ONE, ',
        "",
        "oauth/test_documents.py::test_slow_documents_delay_no_others",
    ),
    Defence(
        "few documents of one site are read at once",
        "features/authorization_server/documents.py",
        'f"of {site}": OF_ONE, ',
        "",
        "oauth/test_documents.py::test_slow_documents_delay_no_others",
    ),
    Defence(
        "a slow look-up keeps the place of its document",
        "outgoing.py",
        "looking[0].add_done_callback(lambda _: ended())",
        "ended()",
        "test_outgoing_public.py::test_a_slow_name_is_over_when_its_look_up_is",
    ),
]
