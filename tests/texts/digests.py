"""Marks each translation with a digest of the English text that it was made from.

A translation whose English text has changed since is old, and a test fails. Translate it again, delete the comment
behind it, and run `python -m tests.texts.digests`: it writes the digests that are missing, and changes no other one.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[2] / "asgi_auth"
TABLE = re.compile(r"\[(?P<name>[a-z0-9_.]+)\]")
LINE = re.compile(r'(?P<key>[a-z0-9_]+) = (?P<text>".*")(?: # (?P<digest>[0-9a-f]{8}))?')
#: The forms of plurals stand below the code of their text.
PLURALS, ABOUT = "plurals", "language"


class Translation(NamedTuple):
    """One text in a file: its place, its code, and the digest behind it, or nothing."""

    file: Path
    line: int
    code: str
    text: str
    digest: str


def files(language: str) -> list[Path]:
    """Return the files with the texts of a language: of the catalog, and of the features."""
    found = [*(PACKAGE / "texts" / language).glob("*.toml"), *PACKAGE.rglob(f"texts/{language}.toml")]
    return sorted(file for file in found if file.stem != ABOUT)


def languages() -> list[str]:
    """Return the languages into which texts are translated."""
    return sorted(folder.name for folder in (PACKAGE / "texts").iterdir() if (folder / "language.toml").exists())


def texts_of(language: str) -> Iterator[Translation]:
    """Yield the texts of a language."""
    for file in files(language):
        table = ""
        is_catalog = file.parent.name == language
        for number, line in enumerate(file.read_text("utf-8").splitlines()):
            if found := TABLE.fullmatch(line):
                table = found["name"]
            elif found := LINE.fullmatch(line):
                of_plural = is_catalog and file.stem == PLURALS
                parts = (file.stem if is_catalog and not of_plural else "", table, "" if of_plural else found["key"])
                text = tomllib.loads(f"x = {found['text']}")["x"]
                yield Translation(file, number, ".".join(filter(None, parts)), text, found["digest"] or "")
            elif line and not line.startswith("#"):
                raise ValueError(f"{file}:{number + 1} is not read")


def english() -> dict[str, str]:
    """Return the English texts by code, without other forms of plurals."""
    return {each.code: each.text for each in texts_of("en") if each.file.stem != PLURALS}


def digest(text: str) -> str:
    """Return the digest of an English text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def old(texts: Mapping[str, str], language: str) -> list[str]:
    """Return the codes of the translations that were made from other English texts, or are not marked."""
    return [each.code for each in texts_of(language) if each.digest != digest(texts[each.code])]


def main() -> None:
    """Write the digests that are missing."""
    texts = english()
    for each in (each for language in languages() if language != "en" for each in texts_of(language)):
        if not each.digest:
            lines = each.file.read_text("utf-8").splitlines()
            lines[each.line] += f" # {digest(texts[each.code])}"
            each.file.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
