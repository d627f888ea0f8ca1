"""The guide shows the files that the cluster runs with, and the URLs of the workers."""

import re

from tests.deploy.programs import FILES
from tests.ha import table
from tests.ha.patroni import WORD
from tests.ha.routes import ROUTES
from tests.ha.soak_bounds import grown

TEXT = table.GUIDE.read_text("utf-8")


def test_the_guide_names_each_way_to_the_primary_with_the_url_of_the_workers() -> None:
    assert [route.name for route in ROUTES if route.url.replace(WORD, "…") not in TEXT] == []


def test_the_guide_shows_the_files_of_the_cluster() -> None:
    shown = re.findall(r"<!-- show: examples/deploy/(\S+) \w+ -->", TEXT)

    assert sorted(shown) == ["haproxy-postgresql.cfg", "patroni.yml", "redis.conf", "sentinel.conf"]
    assert [name for name in (*shown, "pgbouncer.ini") if not (FILES / name).exists()] == []


def sample(**changes: int) -> dict[str, int]:
    return {"memory": 90_000, "objects": 60_000, "ended sessions": 100, "descriptors": 30, "tasks": 8} | changes


def test_a_process_that_stays_as_it_is_has_not_grown() -> None:
    assert grown([sample(memory=90_000 + 50 * (number % 7)) for number in range(40)], 0) == []


def test_each_kind_of_growth_is_found() -> None:
    for name, step in {"memory": 300, "objects": 300, "ended sessions": 20, "descriptors": 3, "tasks": 3}.items():
        samples = [sample(**{name: sample()[name] + step * number}) for number in range(40)]

        assert len(grown(samples, 0)) == 1, name


def test_more_connections_than_the_pools_have_are_found() -> None:
    samples = [sample(connections=22) for _ in range(40)]

    assert grown(samples, 22) == []
    assert len(grown([*samples, sample(connections=23)], 22)) == 1


def test_too_few_samples_prove_nothing() -> None:
    assert grown([sample()] * 7, 0) == ["only 7 samples"]


def test_the_tables_of_the_guide_are_the_results() -> None:
    assert table.with_results(TEXT) == TEXT, "run: python -m tests.ha.table"
    assert table.markdown() in TEXT
