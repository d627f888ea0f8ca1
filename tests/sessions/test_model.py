"""A short run of the model; the long one is `python -m tests.sessions.model`."""

import pytest

from tests.sessions.model.__main__ import database, run
from tests.sessions.model.service import Service


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_the_library_answers_as_the_model(name: str) -> None:
    with database(name) as url:
        service = Service(url)
        try:
            run(service, 1, sequences=20)
        finally:
            service.close()
