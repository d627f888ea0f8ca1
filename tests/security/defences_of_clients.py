"""Defences of the client for browsers; its tests run in Chromium and Firefox."""

from tests.security.defence import Defence

FILE = "features/browser_client/client.js"
CLIENTS = [
    Defence(
        "only the origins that are named get a token",
        FILE,
        "if (!trusted.has(new URL(request.url).origin) || request.headers",
        "if (request.headers",
        "browser/test_client_calls.py::test_a_page_of_another_origin",
    ),
    Defence(
        "all tabs renew once",
        FILE,
        "navigator.locks ? navigator.locks.request(name, run) : alone()",
        "alone()",
        "browser/test_client.py::test_ten_tabs_renew_once_and_hear_of_a_logout",
    ),
    Defence(
        "only a request with an expired token is sent again",
        FILE,
        "await renew(before, code) && code === EXPIRED && isSameUser(before)",
        "await renew(before, code) && isSameUser(before)",
        "browser/test_client_calls.py::test_a_request_is_sent_again_once_and_whole_or_not_at_all",
    ),
    Defence(
        "no request is sent again as another user",
        FILE,
        "code === EXPIRED && isSameUser(before)",
        "code === EXPIRED",
        "browser/test_client.py::test_a_request_is_never_sent_again_as_another_user",
    ),
    Defence(
        "a request that is sent again has its body",
        FILE,
        "sent(isIn(before) ? request.clone() : request)",
        "sent(request)",
        "browser/test_client_calls.py::test_a_request_is_sent_again_once_and_whole_or_not_at_all",
    ),
    Defence(
        "a renewal without an answer logs no one out",
        FILE,
        "      if (!isOfSession(error)) {\n        const",
        "      if (!error) {\n        const",
        "browser/test_client_calls.py::test_no_answer_logs_no_one_out",
    ),
    Defence(
        "a login or logout is newer than what was asked before it",
        FILE,
        "if (state.at < asked && JSON.stringify(user) !== JSON.stringify(state.user)) "
        "change({ ...state, user }, asked);",
        "if (JSON.stringify(user) !== JSON.stringify(state.user)) change({ ...state, user });",
        "browser/test_client.py::test_what_a_tab_has_asked_before_a_login_or_logout_of_another_one_is_old",
    ),
]
