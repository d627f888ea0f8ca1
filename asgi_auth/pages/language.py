"""The texts of one answer, in the visitor's language."""

from dataclasses import dataclass
from typing import Any

from asgi_auth.errors import AuthError
from asgi_auth.model.user_agent import program_and_system
from asgi_auth.texts import Texts
from asgi_auth.validation.reasons import Reason


@dataclass(frozen=True)
class Language:
    """One language of the catalogue."""

    texts: Texts
    name: str

    def get(self, code: str, /, **values: Any) -> str:
        """A text that must be there."""
        return self.texts.get(code, self.name, **values)

    def maybe(self, code: str, /, **values: Any) -> str:
        """A text, or nothing."""
        return self.texts.find(code, self.name, **values) or ""

    def label(self, field: str) -> str:
        """What a field is called: by the catalogue, else by its own name."""
        return self.maybe(f"field.{field}") or field.replace("_", " ").strip().capitalize()

    def device(self, user_agent: str) -> str:
        """What a device is called: `Firefox on Linux`."""
        program, system = program_and_system(user_agent)
        if program and system:
            return self.get("pages.account.device", program=program, system=system)
        return program or system or self.get("pages.account.unknown_device")

    def error(self, error: AuthError, code: str = "") -> str:
        """What went wrong; in English where the catalogue doesn't know it."""
        return self.maybe(f"error.{code or error.code}") or error.detail

    def reason(self, reason: str) -> str:
        """Why a field was refused."""
        found = self.maybe(f"reason.{reason.code}", **reason.values) if isinstance(reason, Reason) else ""
        return found or str(reason)
