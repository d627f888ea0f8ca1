"""Records: ids sort by time, and events have an outcome when none is named."""

import uuid

from asgi_auth.model.event_types import Action
from asgi_auth.model.records import new_id


def test_an_id_is_a_version_7_uuid_of_its_time() -> None:
    value = uuid.UUID(new_id(1_700_000_000.5))

    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    assert value.int >> 80 == 1_700_000_000_500
    assert new_id(1_700_000_000.5) != new_id(1_700_000_000.5)
    assert new_id(1_700_000_000) < new_id(1_700_000_000.002)


def test_an_action_that_can_only_fail_fails_when_no_outcome_is_named() -> None:
    assert Action("x.", "done", "failed").usual == "success"
    assert Action("x.", failure="failed").usual == "failure"
