"""Defences of endpoints: what they demand of callers, and how strictly they read."""

from tests.security.defence import Defence

ENDPOINTS = [
    Defence(
        "endpoints: a credential without a session is accepted only where keys are",
        "feature/admission.py",
        "if identity.kind != SESSION and not endpoint.keys:",
        'if identity.kind == "" and not endpoint.keys:',
        "feature/test_credentials.py::test_only_endpoints_for_keys_accept_a_credential_without_a_session",
    ),
    Defence(
        "endpoints: a delicate one reads the session from the database",
        "feature/admission.py",
        "identity = await self._confirm(identity) if identity.kind == SESSION else identity",
        "identity = identity if identity.kind == SESSION else identity",
        "feature/test_admission.py::test_roles_and_sessions_of_delicate_endpoints_come_from_the_database",
    ),
    Defence(
        "endpoints: an old login is not fresh",
        "feature/admission.py",
        "identity.require(fresh=self._fresh)",
        "identity.require()",
        "feature/test_admission.py::test_a_fresh_endpoint_refuses_an_old_login_before_it_looks_at_the_fields",
    ),
    Defence(
        "endpoints: users with a second factor show it",
        "feature/admission.py",
        "await self._gate.demand(identity, self._fresh if fresh else None)",
        "pass",
        "feature/test_admission.py::test_a_second_factor_is_demanded_of_users_that_have_one",
    ),
    Defence(
        "endpoints: a key beside the cookies of another user is refused",
        "web/authenticator.py",
        "for access in presented.access if found.is_authenticated else ():",
        "for access in ():",
        "feature/test_credentials.py::test_a_key_beside_the_cookies_of_another_user_is_refused",
    ),
    Defence(
        "endpoints: a field of the path is not taken from the query",
        "web/request_pipeline.py",
        "if repeated := sent.keys() & in_path.keys():",
        "if repeated := set[str]():",
        "web/test_query.py::test_a_field_of_the_path_is_not_taken_from_the_query",
    ),
    Defence(
        "endpoints: a doubled parameter of a query is refused",
        "web/body.py",
        "return _unique(pairs_of(query.removesuffix",
        "return dict(pairs_of(query.removesuffix",
        "web/test_query.py::test_a_query_that_two_readers_could_read_differently_is_refused",
    ),
    Defence(
        "endpoints: a redirect leads nowhere that a request wants",
        "web/request_pipeline.py",
        "if isinstance(value, Redirect) and not (value.elsewhere or self._allows(value.location)):",
        "if isinstance(value, Redirect) and not (value.elsewhere or value.location):",
        "web/test_own_answers.py::test_a_redirect_never_leads_to_where_a_request_wants",
    ),
    Defence(
        "endpoints: no page of another site acts by a feature's cookie",
        "web/request_pipeline.py",
        "if presented.by_cookie or presented.own or (transport",
        "if presented.by_cookie or (transport",
        "web/test_own_answers.py::test_a_page_of_another_site_cannot_act_by_our_other_cookies",
    ),
    Defence(
        "endpoints: a feature's cookie with two values is refused",
        "web/credentials.py",
        "        if len(values) > 1:\n            raise BadRequestError",
        "        if not values:\n            raise BadRequestError",
        "web/test_own_answers.py::test_a_cookie_with_two_values_is_refused_where_it_is_read",
    ),
    Defence(
        "endpoints: features' cookies are in no event",
        "events/stream.py",
        "client = client.without_cookies() if client.cookies else client",
        "client = client",
        "web/test_own_answers.py::test_cookies_are_in_no_event_and_no_repr",
    ),
    Defence(
        "endpoints: events name who acts for a user",
        "events/stream.py",
        "actor = actor or (running.get() or {}).get(ACTOR) or _actor_of_request()",
        "actor = None",
        "feature/test_added_fields.py::test_events_logs_and_records_name_who_acts_for_a_user",
    ),
]
