"""A letter to nobody is rendered like any other, and neither sent nor told of."""

from asgi_auth.mail import Delivery, Letter, Mail, Outbox, Templates
from asgi_auth.texts import Texts
from tests.mail.deliveries import Events


class Counting(Templates):
    """Templates that count what they render."""

    count = 0

    def render(self, letter: Letter) -> Mail:
        self.count += 1
        return super().render(letter)


async def nobody() -> Letter:
    return Letter(purpose="reset_password", to="", code="12345678", minutes=15)


async def test_a_letter_to_nobody_costs_the_work_and_is_not_sent() -> None:
    outbox, told, templates = Outbox(), Events(), Counting(Texts(), "Shop")
    delivery = Delivery(outbox, templates, told.emit, pause=0)

    delivery.later(nobody)
    await delivery.idle()

    assert templates.count == 1
    assert outbox.mails == []
    assert told == []
