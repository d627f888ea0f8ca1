"""Decoy mails are rendered like real mails, are not sent, and cause no event."""

from asgi_auth.mail import Delivery, Letter, Mail, Outbox, Templates
from asgi_auth.texts import Texts
from tests.mail.deliveries import Events, writing


class Counting(Templates):
    """Templates that count what they render."""

    count = 0

    def render(self, letter: Letter) -> Mail:
        self.count += 1
        return super().render(letter)


async def decoy_letter() -> Letter:
    return Letter(purpose="reset_password", to="", code="12345678", seconds=900)


async def test_a_decoy_is_rendered_but_not_sent() -> None:
    outbox, told, templates = Outbox(), Events(), Counting(Texts(), "Shop")
    delivery = Delivery(outbox, templates, told.emit, pause=0)

    delivery.send_later(decoy_letter)
    await delivery.idle()

    assert templates.count == 1
    assert outbox.mails == []
    assert told == []


async def test_decoys_use_no_queue_slot() -> None:
    outbox, told, templates = Outbox(), Events(), Counting(Texts(), "Shop")
    delivery = Delivery(outbox, templates, told.emit, pause=0, limit=5)

    for _ in range(50):
        delivery.send_later(decoy_letter, decoy=True)
    for _ in range(5):
        delivery.send_later(writing())
    await delivery.idle()

    assert templates.count == 10
    assert len(outbox.mails) == 5
    assert [name for name, _ in told] == ["mail"] * 5


async def test_draining_gives_up_decoys_without_an_event() -> None:
    told = Events()
    delivery = Delivery(Outbox(), Counting(Texts(), "Shop"), told.emit, pause=60)
    delivery.send_later(decoy_letter, decoy=True)

    await delivery.drain(0.01)

    assert told == []
