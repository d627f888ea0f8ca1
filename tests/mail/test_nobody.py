"""A letter to nobody is rendered like any other, and neither sent nor told of."""

from asgi_auth.mail import Delivery, Letter, Mail, Outbox, Templates
from asgi_auth.texts import Texts
from tests.mail.deliveries import Events, writing


class Counting(Templates):
    """Templates that count what they render."""

    count = 0

    def render(self, letter: Letter) -> Mail:
        self.count += 1
        return super().render(letter)


async def nobody() -> Letter:
    return Letter(purpose="reset_password", to="", code="12345678", seconds=900)


async def test_a_letter_to_nobody_costs_the_work_and_is_not_sent() -> None:
    outbox, told, templates = Outbox(), Events(), Counting(Texts(), "Shop")
    delivery = Delivery(outbox, templates, told.emit, pause=0)

    delivery.later(nobody)
    await delivery.idle()

    assert templates.count == 1
    assert outbox.mails == []
    assert told == []


async def test_letters_to_nobody_take_no_place_from_those_to_somebody() -> None:
    outbox, told, templates = Outbox(), Events(), Counting(Texts(), "Shop")
    delivery = Delivery(outbox, templates, told.emit, pause=0, limit=5)

    for _ in range(50):
        delivery.later(nobody, to_nobody=True)
    for _ in range(5):
        delivery.later(writing())
    await delivery.idle()

    assert templates.count == 10
    assert len(outbox.mails) == 5
    assert [name for name, _ in told] == ["mail"] * 5


async def test_closing_waits_for_no_letter_to_nobody_and_tells_of_none() -> None:
    told = Events()
    delivery = Delivery(Outbox(), Counting(Texts(), "Shop"), told.emit, pause=60)
    delivery.later(nobody, to_nobody=True)

    await delivery.drain(0.01)

    assert told == []
