"""Lists with choices: a check box for each choice. A form sends the checked ones, each under a name of its own."""

from collections.abc import Mapping

from asgi_auth.validation.fields import BodyField
from asgi_auth.validation.user_field import DeclaredField, Field

#: The kind of an input that is a group of check boxes, and the most of them: a form has 100 values at most.
BOXES, MOST = "checkboxes", 40


def has_boxes(field: Field) -> bool:
    """Tell whether a field is shown as check boxes."""
    return field.shape.is_list and 0 < len(field.shape.choices) <= MOST


def box_name(name: str, index: int) -> str:
    """Return the name of the box of a choice, by its place among the choices: their texts may be any."""
    return f"{name}.{index}"


def checked(field: Field, text: str) -> frozenset[str]:
    """Return the choices in the text of a field."""
    items = field.from_text(text)
    return frozenset(map(str, items)) if isinstance(items, list) else frozenset()


def joined(fields: Mapping[str, BodyField], sent: Mapping[str, str]) -> dict[str, str]:
    """Return what a form has sent, with the text of each list in the place of its boxes; empty if none is checked."""
    values = dict(sent)
    for name, declared in fields.items():
        if isinstance(declared, DeclaredField) and has_boxes(declared.field):
            choices = enumerate(declared.field.shape.choices)
            chosen = [choice for index, choice in choices if values.pop(box_name(name, index), "")]
            values.setdefault(name, declared.field.to_text(chosen) if chosen else "")
    return values
