"""The pytest plugin: fixtures whose names begin with `auth`. It imports nothing until a test uses one."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from asgi_auth.auth import Auth
    from asgi_auth.mail.outbox import Outbox
    from asgi_auth.testing.clock import Clock

# Nothing is imported: a failing assert of the storage contract shows its values.
pytest.register_assert_rewrite("asgi_auth.testing.contract", "asgi_auth.testing.records")


@pytest.fixture
def auth_clock() -> "Clock":
    """The clock of the test: `auth_clock.move(minutes=16)`."""
    from asgi_auth.testing.clock import Clock  # noqa: PLC0415 (at the first use)

    return Clock()


@pytest.fixture
def auth_outbox() -> "Outbox":
    """The mails of the test: `auth_outbox.code("ada@example.com")`."""
    from asgi_auth.mail.outbox import Outbox  # noqa: PLC0415 (at the first use)

    return Outbox()


@pytest.fixture
def auth_factory(auth_clock: "Clock", auth_outbox: "Outbox") -> "Iterator[Callable[..., Auth]]":
    """Make an `Auth` as `cheap_auth` does, with the clock and the outbox of the test; closed after the test."""
    from asgi_auth.testing.cheap import cheap_auth, end  # noqa: PLC0415 (at the first use)

    made: list[Auth] = []

    def make(*arguments: Any, **options: Any) -> "Auth":
        given: dict[str, Any] = {"now": auth_clock, "mailer": auth_outbox}
        made.append(cheap_auth(*arguments, **given | options))
        return made[-1]

    yield make
    for auth in made:
        end(auth)


@pytest.fixture
def auth(auth_factory: "Callable[..., Auth]") -> "Auth":
    """An `Auth` with the default features, in memory. Define a fixture of this name for one with features of yours."""
    return auth_factory()
