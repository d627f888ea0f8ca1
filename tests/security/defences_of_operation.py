"""Defences of what operators do: probes, commands and files of settings."""

from tests.security.defence import Defence

OPERATION = [
    Defence(
        "an unknown key of a file of settings is refused",
        "sources/toml.py",
        "        if name not in kinds:\n            nearest",
        "        if name not in kinds:\n            continue\n            nearest",
        "test_settings_files.py::test_what_cannot_be_read_is_refused_with_its_name",
    ),
    Defence(
        "probes at the same time cost one query",
        "features/health/feature.py",
        "if probe is None or probe.done():",
        "if True:",
        "features/test_health.py::test_callers_at_the_same_time_share_one_query",
    ),
    Defence(
        "a probe that goes away leaves the query to the others",
        "features/health/feature.py",
        "await asyncio.wait([probe])",
        "await asyncio.gather(probe, return_exceptions=True)",
        "features/test_health.py::test_a_caller_that_goes_away_leaves_the_query_to_the_others",
    ),
]
