"""A short run of the model; the long one is `python -m tests.sessions.model`."""

import pytest

from tests.sessions.model.__main__ import database, run
from tests.sessions.model.service import Service
from tests.variants import FULL

SEQUENCES = 20 if FULL else 8


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_the_library_answers_as_the_model(name: str) -> None:
    with database(name) as url:
        service = Service(url)
        try:
            run(service, 1, sequences=SEQUENCES)
        finally:
            service.close()
