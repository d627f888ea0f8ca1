"""The inputs of a form, from the declaration of its endpoint, and the sent values as the endpoint takes them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, get_args, get_origin

import msgspec

from asgi_auth.feature.route import Route
from asgi_auth.pages.boxes import BOXES, has_boxes
from asgi_auth.settings import Settings
from asgi_auth.validation.fields import BodyField, Email, Secret, Time, from_text
from asgi_auth.validation.password_policy import PasswordPolicy
from asgi_auth.validation.user_field import DeclaredField, Field
from asgi_auth.web.request_pipeline import REFRESH_TOKEN

#: Fields that the library fills in from the link in a mail.
TICKET = ("token", "request", "code")
#: The types of fields of features and endpoints that a form can send.
TYPES = (str, int, bool, float)
#: The type of the input element for a field of the host, by the kind of its value; the others are text.
KINDS: Mapping[str, str] = {
    "integer": "number",
    "number": "number",
    "boolean": "checkbox",
    "email": "email",
    "date": "date",
    "datetime": "datetime-local",
    "json": "textarea",
}
#: The values of the attribute `autocomplete` (HTML, 4.10.18.7).
AUTOCOMPLETE = {
    "email": "username",
    "username": "username",
    "new_email": "email",
    "password": "current-password",
    "current_password": "current-password",
    "new_password": "new-password",
    "code": "one-time-code",
}


@dataclass(kw_only=True)
class Input:
    """One input of a form; `attributes` are further attributes of the element.

    `kind` is the type of an `<input>`, or the name of another element. `options` are the values of a `select` or of a
    group of check boxes, each with its text, and `checked` those that are chosen.
    """

    name: str
    id: str
    kind: str
    label: str
    value: str
    attributes: Mapping[str, str]
    hint: str = ""
    errors: Sequence[str] = ()
    options: Sequence[tuple[str, str]] = ()
    checked: Collection[str] = ()
    focused: bool = False
    #: The target and the text of the link beside the label.
    aside: tuple[str, str] | None = None

    @property
    def described_by(self) -> str:
        """The ids of the hint and of the errors."""
        parts = [(self.hint, f"{self.id}-hint"), (self.errors, f"{self.id}-error")]
        return " ".join(name for there, name in parts if there)


def fields_of(route: Route, path: str, settings: Settings) -> dict[str, BodyField]:
    """Return the fields of an endpoint's body that a person fills in, with the host's extra fields."""
    endpoint = route.endpoint
    fields = {name: field for name, field in endpoint.fields.items() if f"{{{name}}}" not in path}
    fields.pop(REFRESH_TOKEN, None)
    # A form shows all extra fields at once, so that a required one stays required in a partial change.
    extra = endpoint.extra_fields(settings.fields)
    fields |= {item.name: DeclaredField(item.annotation, item.required, item) for item in extra}
    fields |= route.feature.pipeline.added(endpoint)
    # One input for the address and the other names of an account.
    if others := route.feature.pipeline.names.others_at(endpoint):
        fields.pop(endpoint.names)
        named = {others[0]: BodyField(fields.pop(others[0]).type, required=True)}
        fields = named | {name: field for name, field in fields.items() if name not in others}
    return fields


def kind_of(field: BodyField) -> str:
    """Return the type of the input element, or the name of another element."""
    if isinstance(field, DeclaredField):
        return _kind_of(field.field)
    if field.type == Secret:
        return "password"
    if field.type == Email or Email in get_args(field.type):
        return "email"
    if is_time(field.type):
        return "datetime-local"
    if is_list(field.type):
        return "textarea"
    return {bool: "checkbox", int: "number", float: "number"}.get(plain(field.type), "text")


def _kind_of(field: Field) -> str:
    if field.shape.is_list:
        return BOXES if has_boxes(field) else "textarea"
    return "select" if field.shape.choices else KINDS.get(field.shape.kind, "text")


def attributes_of(name: str, field: BodyField, endpoint: str, policy: PasswordPolicy | None) -> dict[str, str]:
    """Return the constraints for the browser, and the hints for password managers."""
    kind, found = kind_of(field), {}
    complete = "new-password" if (name, endpoint) == ("password", "register") else AUTOCOMPLETE.get(name)
    found["autocomplete"] = complete or "on"
    is_address = kind == "email" and not isinstance(field, DeclaredField)
    may_be_empty = kind == "checkbox" or (is_list(field.type) and not isinstance(field, DeclaredField))
    is_needed = field.required and not may_be_empty
    if is_needed or is_address:
        # Clients may leave out an address when they are logged in; a visitor of the page may not be.
        found["required"] = ""
    if complete == "new-password" and policy is not None:
        found["minlength"] = str(policy.min_length)
    if kind == "number":
        found["step"] = "1" if plain(field.type) is int else "any"
    if isinstance(field, DeclaredField):
        found |= _attributes_of(field.field)
    elif kind == "textarea":
        found |= {"rows": "4", "spellcheck": "false"}
    if kind in {"text", "email"} and (longest := bound(field.type, "max_length")):
        # No limit for passwords: browsers cut a pasted text silently.
        found["maxlength"] = str(longest)
    if name == "password":
        found["required"] = ""
    if name == "code":
        found |= {"inputmode": "numeric", "required": "", "spellcheck": "false", "data-group": "4"}
    if kind == "email" or name == "username":
        found |= {"spellcheck": "false", "autocapitalize": "none"}
    return found


def _attributes_of(field: Field) -> dict[str, str]:
    """Return the constraints of a field of the host."""
    kind, found = _kind_of(field), dict[str, str]()
    if field.pattern is not None and kind == "text":
        found["pattern"] = field.pattern
    for name, bound in (("min", field.minimum), ("max", field.maximum)):
        if bound is not None and kind != "textarea":
            found[name] = in_input(field.to_text(msgspec.to_builtins(bound)), kind)
    if kind == "datetime-local":
        found["step"] = "1"
    if kind == "textarea":
        found |= {"rows": "4"} | ({"spellcheck": "false"} if field.shape.kind != "text" else {})
    return found


def values_of(fields: Mapping[str, BodyField], sent: Mapping[str, str], *, partial: bool) -> dict[str, Any]:
    """Convert the strings of a form into values.

    Empty fields are left out; in a `partial` change they empty the value. Browsers do not send an unchecked box, which
    means false. A text that cannot be converted stays a string, and the endpoint refuses it.
    """
    values: dict[str, Any] = {}
    for name, text in sent.items():
        field = fields.get(name)
        if text.strip() if _has_lines(field) else text:
            values[name] = _value_of(field, text)
        elif field is not None and _is_emptied(field):
            values[name] = []
        elif partial and field is not None:
            values[name] = "" if field.required or _may_be_empty(field) else None
        elif partial:
            values[name] = text
    boxes = {name: False for name, field in fields.items() if kind_of(field) == "checkbox"}
    return boxes | values


def in_input(text: str, kind: str) -> str:
    """Return the text of a value as an input element takes it: times without an offset, in UTC."""
    return text.removesuffix("Z") if kind == "datetime-local" else text


def _has_lines(field: BodyField | None) -> bool:
    return field is not None and kind_of(field) == "textarea"


def _is_emptied(field: BodyField) -> bool:
    """Tell whether a form that sends nothing for a list means an empty one."""
    if isinstance(field, DeclaredField):
        return kind_of(field) == BOXES and not field.required
    return is_list(field.type)


def _may_be_empty(field: BodyField) -> bool:
    """Tell whether an empty text is a value of the field."""
    if not isinstance(field, DeclaredField):
        return plain(field.type) is str
    declared = field.field
    is_plain = kind_of(field) == "text" and declared.pattern is None
    return is_plain and not declared.min_length


def _value_of(field: BodyField | None, text: str) -> Any:
    if field is None:
        return text
    if isinstance(field, DeclaredField):
        return field.field.from_text(text)
    if is_list(field.type):
        return [line.strip() for line in text.splitlines() if line.strip()]
    if is_time(field.type):
        return _seconds(text)
    kind = plain(field.type)
    return text if kind is str else _converted(text, kind)


def plain(kind: Any) -> type:
    """Return the plain type below bounds and unions; `str` for types that a form cannot send."""
    if kind in TYPES:
        return kind  # type: ignore[no-any-return]  # one of the four
    inner = get_args(kind)[:1] if get_origin(kind) is Annotated else get_args(kind)
    return next((plain(item) for item in inner if item is not type(None)), str)


def shown(value: Any, field: BodyField) -> str:
    """Return a value as the text of an input element: empty for None, false and an empty list."""
    if not value and not (isinstance(value, int | float) and kind_of(field) != "checkbox"):
        return ""
    if kind_of(field) == "checkbox":
        return "on"
    return in_input(_text_of(value, field), kind_of(field))


def _text_of(value: Any, field: BodyField) -> str:
    if isinstance(field, DeclaredField):
        return field.field.to_text(value)
    if is_time(field.type):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return "\n".join(value) if is_list(field.type) else str(value)


def bound(kind: Any, name: str) -> Any:
    """Return a bound of a type, such as `max_length`; None without one."""
    return next((getattr(item, name) for item in get_args(kind) if isinstance(item, msgspec.Meta)), None)


def is_list(kind: Any) -> bool:
    """Tell whether a type is a list, with or without bounds."""
    return get_origin(get_args(kind)[0] if get_origin(kind) is Annotated else kind) is list


def is_time(kind: Any) -> bool:
    """Tell whether a type is a time in seconds since 1970, or None."""
    return kind == Time or Time in get_args(kind)


def from_url(text: str, kind: Any) -> Any:
    """Return the value of a text in the URL of a page: of a time, that of its input or the seconds themselves."""
    return _seconds(text) if is_time(kind) and not text.isdigit() else from_text(text, kind)


def _seconds(text: str) -> int | str:
    """Return the seconds of a time, which is in UTC unless it has an offset; a text that is none stays as it is."""
    try:
        at = datetime.fromisoformat(text)
        return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return text


def _converted(text: str, kind: type) -> Any:
    if kind is bool:
        return text in {"on", "true"}
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError:
        return text
