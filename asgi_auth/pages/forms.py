"""Forms for the templates: fields, sent values, errors, and the focus."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asgi_auth.errors import AuthError, ValidationError
from asgi_auth.feature.page import Form
from asgi_auth.model.user_info import UserInfo
from asgi_auth.pages.boxes import BOXES, checked
from asgi_auth.pages.inputs import TICKET, Input, attributes_of, kind_of, shown
from asgi_auth.pages.kept import Kept
from asgi_auth.pages.language import Language
from asgi_auth.validation.fields import BodyField
from asgi_auth.validation.password_policy import PasswordPolicy
from asgi_auth.validation.user_field import DeclaredField

#: The code of invalid credentials where only the password can be wrong, and the names of its field.
WRONG_PASSWORD = "wrong_password"
PASSWORDS = ("current_password", "password")


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A refused form: the sent values and the error."""

    endpoint: str
    sent: Mapping[str, str] = field(repr=False)
    error: AuthError

    @property
    def code(self) -> str:
        """The code of the error; without an address, only the password can be wrong."""
        wrong = self.error.code == "invalid_credentials" and not {"email", "username"} & self.sent.keys()
        return WRONG_PASSWORD if wrong else self.error.text_code

    @property
    def beside(self) -> tuple[str, ...]:
        """The possible names of the one field that the error is about."""
        return PASSWORDS if self.code == WRONG_PASSWORD else self.error.fields


@dataclass(kw_only=True)
class FormView:
    """A form; `alert` has the errors of the whole form, and of hidden fields."""

    name: str
    action: str
    inputs: list[Input] = field(default_factory=list)
    hidden: dict[str, str] = field(default_factory=dict)
    #: The fields that a script fills in, and what it gets.
    by_script: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    alert: list[str] = field(default_factory=list)
    #: Seconds until the form can have another mail sent; None for a form that asks for no other one.
    wait: int | None = None

    @property
    def by_link(self) -> bool:
        """Whether the page was opened by the link of a mail."""
        return "token" in self.hidden

    @property
    def is_way(self) -> bool:
        """Whether the form is one button of another way in, which a script shows."""
        return bool(self.by_script) and not self.inputs

    def focus(self) -> bool:
        """Focus the first invalid field, else the first empty one."""
        typed = [item for item in self.inputs if item.kind not in {"checkbox", BOXES}]
        first = [item for item in self.inputs if item.errors] or [item for item in typed if not item.value]
        for item in first[:1]:
            item.focused = True
        return bool(first)


@dataclass(frozen=True, kw_only=True)
class FormBuilder:
    """Makes the forms of one page.

    `given` are the values of the page's URL, `carried` those of hidden fields, and `kept` those of an earlier form.
    """

    language: Language
    policy: PasswordPolicy | None
    given: Mapping[str, str]
    carried: Mapping[str, str] = field(default_factory=dict)
    user: UserInfo | None = None
    failed: Failed | None = None
    kept: Kept | None = None
    data: object = None

    def build(self, form: Form, action: str, fields: Mapping[str, BodyField]) -> FormView | None:
        """Make a form; None when it lacks the token and the request of a mail, or a hidden field that it needs."""
        if any(name in fields and fields[name].required and not self.carried.get(name) for name in form.hidden):
            return None
        failed = self.failed if self.failed and self.failed.endpoint == form.endpoint else None
        view = FormView(name=form.endpoint, action=action, by_script=form.by_script)
        given = failed.sent if failed else self.given
        ticket = next((item for item in TICKET[:2] if item in fields and given.get(item)), None)
        if ticket is not None:
            view.hidden[ticket] = given[ticket]
        elif "token" in fields or {"request", "code"} <= fields.keys():
            return None
        view.hidden |= {name: self.carried[name] for name in form.hidden if self.carried.get(name)}
        view.hidden |= dict.fromkeys(form.by_script, "")
        left_out = _left_out(view, fields) | {*form.hidden, *form.by_script, *form.leaves_out}
        if form.shares:
            left_out |= fields.keys()
        if "token" in fields and not self._password_needed(view, failed):
            left_out.add("password")
        reasons = self._reasons(failed, fields.keys() - left_out) if failed else {}
        for item, declared in fields.items():
            if item not in left_out:
                view.inputs.append(self._input(form, item, declared, failed, reasons.pop(item, [])))
        if failed is not None:
            view.data = failed.error.for_script
            view.alert = self._alert(failed, reasons, beside=any(item.errors for item in view.inputs))
        return view

    def _password_needed(self, view: FormView, failed: Failed | None) -> bool:
        """Tell whether a link must be confirmed by the password: yes, unless the user is logged in."""
        asked_before = failed is not None and ("password" in failed.sent or failed.code == "password_needed")
        return asked_before or (view.by_link and self.user is None)

    def _input(self, form: Form, name: str, declared: BodyField, failed: Failed | None, errors: list[str]) -> Input:
        kind = kind_of(declared)
        attributes = {**attributes_of(name, declared, form.endpoint, self.policy), **form.attributes.get(name, {})}
        value = failed.sent.get(name, "") if failed else self._known(form, name, declared)
        hint = "policy" if "minlength" in attributes else name
        return Input(
            name=name,
            id=f"{form.endpoint}-{name}",
            kind=kind,
            label=self.language.label(name, form.endpoint),
            value="" if kind == "password" else value,
            attributes=attributes,
            hint=self.language.hint(hint, form.endpoint, count=attributes.get("minlength")) or self._form_of(declared),
            errors=errors,
            options=self._options(name, declared, value),
            checked=checked(declared.field, value) if kind == BOXES and isinstance(declared, DeclaredField) else (),
        )

    def _options(self, name: str, declared: BodyField, value: str) -> list[tuple[str, str]]:
        """Return the choices of a field with their texts, and an empty one unless the field must keep a value."""
        if kind_of(declared) not in {"select", BOXES} or not isinstance(declared, DeclaredField):
            return []
        values = [str(choice) for choice in declared.field.shape.choices]
        is_chosen = kind_of(declared) == BOXES or (declared.required and value in values)
        first = [] if is_chosen else [("", "")]
        return first + [(choice, self.language.choice(name, choice)) for choice in values]

    def _form_of(self, declared: BodyField) -> str:
        """Return the hint about how a value is typed; empty where the browser shows it."""
        kind = kind_of(declared)
        if kind == "datetime-local":
            return self.language.get("pages.typed.utc")
        if kind != "textarea":
            return ""
        if not isinstance(declared, DeclaredField):
            return self.language.get("pages.typed.lines")
        shape = declared.field.shape
        if shape.kind == "json":
            return self.language.get("pages.typed.json")
        text = self.language.get("pages.typed.lines")
        return f"{text} {', '.join(map(str, shape.choices))}".strip()

    def _known(self, form: Form, name: str, declared: BodyField) -> str:
        """Return the known value of a field: that of the kept form, or of the page; in a registration, its default."""
        if self.kept is not None and self.kept.endpoint == form.endpoint:
            return self.kept.values.get(name, "")
        if form.filled:
            return shown(self._member(name, declared), declared)
        if name in form.values:
            return form.values[name]
        if self.user is None:
            default = declared.field.default if isinstance(declared, DeclaredField) else None
            return shown(default, declared)
        if name == "email":
            return self.user.email
        return shown(self.user.data.get(name), declared) if form.endpoint == "update_me" else ""

    def _member(self, name: str, declared: BodyField) -> Any:
        """Return a member of the page's data; that of an extra field is in the data of its user."""
        if isinstance(declared, DeclaredField):
            return getattr(self.data, "data", {}).get(name)
        return getattr(self.data, name, None)

    def _reasons(self, failed: Failed, names: set[str]) -> dict[str, list[str]]:
        """Return the errors by field."""
        if isinstance(failed.error, ValidationError):
            found = failed.error.reasons.items()
            return {name: [self.language.reason(reason) for reason in reasons] for name, reasons in found}
        beside = [name for name in failed.beside if name in names]
        return {name: [self.language.error(failed.error, failed.code)] for name in beside[:1]}

    def _alert(self, failed: Failed, others: Mapping[str, list[str]], *, beside: bool) -> list[str]:
        """Return the error itself, unless a field shows it, and the errors of hidden fields."""
        unseen = [f"{self.language.label(name)}: {reason}" for name, reasons in others.items() for reason in reasons]
        placed = beside and not isinstance(failed.error, ValidationError)
        return [self.language.error(failed.error, "validation_error" if placed else failed.code), *unseen]


def _left_out(view: FormView, fields: Mapping[str, BodyField]) -> set[str]:
    """Return the fields of a mail that the form does not show: its link fills them in, or they have no code yet."""
    if "request" in view.hidden:
        return {"token", "request"}
    return set(TICKET) if {"token", "request"} & fields.keys() else set()
