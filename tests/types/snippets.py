"""The Python snippets of the README and the docs, checked as the code of users is."""

import re
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

from tests.types.checkers import ROOT, Problem, mypy_problems, pyright_problems

FENCE = re.compile(r"^([ \t]*)```python\b[^\n]*\n(.*?)^\1```[ \t]*$", re.MULTILINE | re.DOTALL)

NAMED = re.compile(r"# ((?:\w+/)?\w+\.py)\n")


@dataclass(frozen=True)
class Snippet:
    """A block of Python: its page, the line of the page that it starts at (from 1), and its code."""

    page: str
    line: int
    code: str

    @property
    def file(self) -> str:
        """A file name that is a module name, too: the one in the first line of the code, if it names a file."""
        if named := NAMED.match(self.code):
            return named[1]
        return re.sub(r"\W", "_", f"{self.page.removesuffix('.md')}_{self.line}") + ".py"

    def text(self) -> str:
        """Return the code below so many empty lines that its line numbers are those of the page."""
        return "\n" * (self.line - 1) + self.code


def pages(root: Path = ROOT) -> list[Path]:
    """Return the README and all pages of the docs."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def snippets_of(page: Path, root: Path = ROOT) -> list[Snippet]:
    """Return the Python snippets of a page, in its order."""
    text = page.read_text("utf-8")
    name = page.relative_to(root).as_posix()
    return [
        Snippet(name, text.count("\n", 0, found.start(2)) + 1, textwrap.dedent(found[2]))
        for found in FENCE.finditer(text)
    ]


def problems_of(snippets: list[Snippet], folder: Path) -> list[Problem]:
    """Check snippets in an empty folder: one run of each checker. Problems name the page and its line."""
    by_file = {Path(snippet.file).name: snippet for snippet in snippets}
    for snippet in by_file.values():
        file = folder / snippet.file
        if file.parent != folder:
            file.parent.mkdir(exist_ok=True)
            (file.parent / "__init__.py").touch()
        file.write_text(snippet.text(), "utf-8")
    found = [*pyright_problems(folder), *mypy_problems(folder)]
    return sorted(replace(problem, file=by_file[Path(problem.file).name].page) for problem in found)


def report(folder: Path) -> tuple[int, list[str]]:
    """Return the number of snippets, and a line for each problem."""
    snippets = [snippet for page in pages() for snippet in snippets_of(page)]
    return len(snippets), [
        f"{problem.file}:{problem.line}: {problem.checker}: {problem.message}"
        for problem in problems_of(snippets, folder)
    ]
