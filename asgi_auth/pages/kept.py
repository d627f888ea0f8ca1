"""A form that was refused until its user proves who they are: its values come back afterwards, but no secrets.

They go through the forms of that proof as hidden fields: neither a URL nor a cookie nor the server holds them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from asgi_auth.pages.inputs import kind_of
from asgi_auth.validation.fields import BodyField

#: The hidden field with the endpoint of the form, and what the names of its values begin with.
FORM, VALUE = "kept", "kept."
#: Codes, which are too old afterwards.
CODE = "code"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The endpoint of a form, and the values that were typed."""

    endpoint: str
    values: Mapping[str, str]

    @classmethod
    def of(cls, endpoint: str, sent: Mapping[str, str], fields: Mapping[str, BodyField]) -> "Kept | None":
        """Keep the values of a refused form; None if there are none to keep."""
        shown = {name for name, field in fields.items() if kind_of(field) != "password"} - {CODE}
        values = {name: value for name, value in sent.items() if name in shown and value}
        return cls(endpoint=endpoint, values=values) if values else None

    @classmethod
    def taken_from(cls, sent: dict[str, str]) -> "Kept | None":
        """Take the hidden fields out of a form that was sent; None if there are none."""
        endpoint = sent.pop(FORM, "")
        names = [name for name in sent if name.startswith(VALUE)]
        values = {name.removeprefix(VALUE): sent.pop(name) for name in names}
        return cls(endpoint=endpoint, values=values) if endpoint else None

    def hidden(self) -> dict[str, str]:
        """Return the hidden fields."""
        return {FORM: self.endpoint} | {VALUE + name: value for name, value in self.values.items()}
