"""The snippets of the documentation pass pyright and mypy, and a problem in one names its page and line."""

from pathlib import Path

from tests.types.checkers import ROOT
from tests.types.snippets import Snippet, pages, problems_of, report, snippets_of

PAGE = """# A page

```python
from asgi_auth import Settings

Settings(secret=b"a" * 32).nonsense
```

=== "Tab"

    ```python title="app.py"
    import sys

    answer: int = sys.platform
    ```

```bash
python -c "answer: int = ''"
```
"""


def test_every_snippet_passes_both_checkers(tmp_path: Path) -> None:
    count, problems = report(tmp_path)

    assert count > 10
    assert problems == [], "\n".join(problems)


def test_the_readme_and_every_page_of_the_docs_are_checked() -> None:
    assert {page.relative_to(ROOT).as_posix() for page in pages()} >= {"README.md", "docs/versioning.md"}


def test_comments_that_ignore_errors_name_a_code_and_are_needed(tmp_path: Path) -> None:
    bare = Snippet("bare.md", 1, "answer: int = ''  # type: ignore\n")
    named = Snippet("named.md", 1, "answer: int = ''  # type: ignore[assignment]\n")
    unused = Snippet("unused.md", 1, "answer: int = 42  # type: ignore[assignment]\n")

    problems = problems_of([bare, named, unused], tmp_path)

    assert [(item.file, item.checker) for item in problems] == [("bare.md", "mypy"), ("unused.md", "mypy")]


def test_problems_name_the_page_and_its_line(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text(PAGE, "utf-8")
    folder = tmp_path / "snippets"
    folder.mkdir()

    snippets = snippets_of(page, tmp_path)
    problems = problems_of(snippets, folder)

    assert [(snippet.line, snippet.file) for snippet in snippets] == [(4, "docs_page_4.py"), (12, "docs_page_12.py")]
    assert [(item.file, item.line, item.checker) for item in problems] == [
        ("docs/page.md", 6, "mypy"),
        ("docs/page.md", 6, "pyright"),
        ("docs/page.md", 14, "mypy"),
        ("docs/page.md", 14, "pyright"),
    ]
