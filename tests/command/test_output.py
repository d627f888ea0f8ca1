"""What is written: progress for a person alone, and text that no terminal interprets and no encoding lacks."""

import io

import pytest

from asgi_auth.command import output
from asgi_auth.command.output import Output


class Terminal(io.StringIO):
    """A stream that a person watches."""

    def isatty(self) -> bool:
        return True


def test_a_bar_shows_how_far_a_work_is_and_goes_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "PAUSE", 0)
    seen = Terminal()

    with Output(io.StringIO(), seen, as_json=False).progress("Exporting", 8) as progress:
        for done in (2, 8, 9):
            progress.update(done)

    shown = seen.getvalue().split("\r\x1b[K")
    assert shown == [
        "",
        f"Exporting [{'.' * 30}] 0% 0 of 8",
        f"Exporting [{'#' * 8}{'.' * 22}] 25% 2 of 8",
        f"Exporting [{'#' * 30}] 100% 8 of 8",
        f"Exporting [{'#' * 30}] 100% 9 of 8",
        "",
    ]


def test_a_work_of_unknown_length_shows_a_number_now_and_then() -> None:
    seen = Terminal()

    with Output(io.StringIO(), seen, as_json=True).progress("resealed") as progress:
        for done in range(10_000):
            progress.update(done)

    assert seen.getvalue().startswith("\r\x1b[Kresealed 0")
    assert seen.getvalue().count("resealed") < 1000
    assert seen.getvalue().endswith("\r\x1b[K")


def test_the_line_goes_when_the_work_fails() -> None:
    seen = Terminal()

    with pytest.raises(ValueError, match="mine"), Output(io.StringIO(), seen, as_json=False).progress("x"):
        raise ValueError("mine")

    assert seen.getvalue().endswith("\r\x1b[K")


def test_nothing_is_shown_to_a_program() -> None:
    seen = io.StringIO()

    with Output(io.StringIO(), seen, as_json=False).progress("x", 3) as progress:
        progress.update(3)

    assert seen.getvalue() == ""


def test_every_encoding_can_write_every_text() -> None:
    raw = io.BytesIO()
    written = Output(io.TextIOWrapper(raw, "ascii", write_through=True), io.StringIO(), as_json=False)

    written.line("Ådä \u202e\x1b[2J\nnext")
    written.raw(b'{"a":"\xc2\x9b"}\n')

    assert raw.getvalue() == b'\\xc5d\\xe4 \\ufffd\\ufffd[2J\nnext\n{"a":"\xc2\x9b"}\n'


def test_json_is_in_ascii() -> None:
    out = io.StringIO()

    Output(out, io.StringIO(), as_json=True).show({"a": "\x9b\u202eä"}, "text")

    assert out.getvalue() == '{"a": "\\u009b\\u202e\\u00e4"}\n'


def test_the_progress_of_a_work_without_a_total_is_the_part_that_is_read() -> None:
    seen = Terminal()

    with Output(io.StringIO(), seen, as_json=False).progress("x") as progress:
        progress._next = 0.0
        progress.update(500, 0.25)

    assert "x [########......................] 25% 500\r" in seen.getvalue()
