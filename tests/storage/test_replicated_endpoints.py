"""The endpoints that may read from a replica."""

from tests.openapi.everything import everything

REPLICATED = {
    "me",
    "export",
    "sessions",
    "users",
    "user",
    "user_events",
    "users_overview",
    "export_audit",
    "user_sessions",
}


def test_the_endpoints_that_may_show_what_is_a_moment_old_are_known() -> None:
    found = {endpoint.name: endpoint for feature in everything().features for endpoint in feature.endpoints}

    assert {name for name, endpoint in found.items() if endpoint.replica} == REPLICATED
    assert {found[name].method for name in REPLICATED} == {"GET"}
