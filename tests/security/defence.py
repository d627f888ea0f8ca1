"""What a defence is: text of the source, what stands there without it, and the test that then fails."""

from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent.parent.parent / "asgi_auth"


@dataclass(frozen=True)
class Defence:
    """What it does, where it stands, what stands there without it, and the test that then fails."""

    name: str
    file: str
    old: str
    new: str
    test: str

    def stands(self, source: Path = SOURCE) -> bool:
        """Whether it stands in the source exactly once."""
        return (source / self.file).read_text("utf-8").count(self.old) == 1
