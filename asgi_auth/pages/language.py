"""The texts of one page, in the visitor's language."""

from dataclasses import dataclass
from typing import Any

from asgi_auth.errors import AuthError
from asgi_auth.model.user_agent import program_and_system
from asgi_auth.texts import Texts
from asgi_auth.validation.reasons import Reason


@dataclass(frozen=True)
class Language:
    """One language of the catalog."""

    texts: Texts
    name: str

    def get(self, code: str, /, **values: Any) -> str:
        """Return a text. Raises KeyError for an unknown code."""
        return self.texts.get(code, self.name, **values)

    def maybe(self, code: str, /, **values: Any) -> str:
        """Return a text; empty for an unknown code."""
        return self.texts.find(code, self.name, **values) or ""

    def label(self, field: str, form: str = "") -> str:
        """Return the label of a field: of the form, else of all forms, else from its name."""
        own = self.maybe(f"field.{form}.{field}") or self.maybe(f"field.{field}")
        return own or field.replace("_", " ").strip().capitalize()

    def choice(self, field: str, value: str) -> str:
        """Return the text of a choice of a field: from the catalog, else the value itself."""
        return self.maybe(f"choice.{field}.{value}") or value

    def hint(self, field: str, form: str, **values: Any) -> str:
        """Return the hint below a field: of the form, else of all forms, else empty."""
        return self.maybe(f"pages.hint.{form}.{field}", **values) or self.maybe(f"pages.hint.{field}", **values)

    def device(self, user_agent: str) -> str:
        """Return the name of a device, such as `Firefox on Linux`."""
        program, system = program_and_system(user_agent)
        if program and system:
            return self.get("pages.account.device", program=program, system=system)
        return program or system or self.get("pages.account.unknown_device")

    def error(self, error: AuthError, code: str = "") -> str:
        """Return the text of an error; its English `detail` for an unknown code."""
        return self.maybe(f"error.{code or error.text_code}") or error.detail

    def reason(self, reason: str) -> str:
        """Return the text of a field's error."""
        found = self.maybe(f"reason.{reason.code}", **reason.values) if isinstance(reason, Reason) else ""
        return found or str(reason)
