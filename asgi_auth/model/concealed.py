"""Records with fields that no text shows."""

from typing import Any, ClassVar


class Concealed:
    """Base of records with credentials: the `concealed` fields are not in the `repr`."""

    __slots__ = ()
    __struct_fields__: ClassVar[tuple[str, ...]]
    #: The fields that are not shown.
    concealed: ClassVar[frozenset[str]] = frozenset()

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return all fields but those that are concealed."""
        return [(name, getattr(self, name)) for name in self.__struct_fields__ if name not in self.concealed]

    def __repr__(self) -> str:
        """Show all fields but those that are concealed."""
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"
