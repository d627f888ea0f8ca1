"""The example of docs/extending/feature-example.md is the feature that the tests run."""

import pytest

from tests.docs.files import DOCS, ROOT, fences

ROOM = ROOT / "tests" / "scratch_feature"
SHOWN = [file for file in ROOM.rglob("*.*") if file.suffix != ".pyc" and file.name not in {"__init__.py", "de.toml"}]


@pytest.mark.parametrize("file", SHOWN, ids=lambda file: file.name)
def test_each_file_of_the_example_is_shown_as_it_is(file: object) -> None:
    assert isinstance(file, type(ROOM))
    language = {"py": "python"}.get(file.suffix[1:], file.suffix[1:])

    assert file.read_text("utf-8") in fences(DOCS / "extending" / "feature-example.md", language)


def test_the_example_has_a_file_of_each_kind() -> None:
    assert {file.suffix for file in SHOWN} == {".py", ".toml", ".html", ".js"}
