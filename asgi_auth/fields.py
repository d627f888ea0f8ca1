"""Extra fields of a user: declared once by the host, kept in the JSON column `data`."""

import keyword
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import msgspec

Write = Literal["register", "user", "admin"]
TYPES = (str, int, bool, float)
TAKEN = {"id", "email", "password", "username", "roles", "status", "email_verified", "data", "created_at", "updated_at"}
#: Parameters of endpoints that the library gives, and no body.
INJECTED = {"client", "identity"}


@dataclass(frozen=True)
class Field:
    """One extra field: its name, type and bounds, and who may write it.

    `write` is `register` (the user, once), `user` (the user, always) or `admin` (never from a request).
    """

    name: str
    type: type = str
    required: bool = False
    default: Any = None
    max_length: int = 200
    write: Write = "user"

    def __post_init__(self) -> None:
        """Refuse names that are ours, and types that JSON doesn't carry."""
        if not self.name.isidentifier() or keyword.iskeyword(self.name) or self.name.startswith("_"):
            raise ValueError(f"{self.name!r} is no name for a field")
        if self.name in TAKEN | INJECTED:
            raise ValueError(f"{self.name!r} is a field of the library's own")
        if self.type not in TYPES:
            raise ValueError(f"{self.name}: the type is one of str, int, bool, float")
        if self.write not in get_args(Write):
            raise ValueError(f"{self.name}: write is one of {', '.join(get_args(Write))}")
        try:
            msgspec.convert(self.default, self.annotation | None)
        except msgspec.ValidationError as error:
            raise ValueError(f"{self.name}: the default doesn't fit: {error}") from None

    @property
    def annotation(self) -> Any:
        """The type with its bounds, as msgspec checks it."""
        if self.type is str:
            return Annotated[str, msgspec.Meta(max_length=self.max_length)]
        if self.type is int:
            return Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
        if self.type is float:
            return Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
        return self.type
