"""Percent-encoding: decoded as the standard library does, and refused where it is none."""

from urllib.parse import parse_qsl, quote_from_bytes, unquote_to_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi_auth.web.percent import decode_part, pairs_of


@given(st.binary(max_size=200))
def test_a_part_is_decoded_as_by_the_standard_library(raw: bytes) -> None:
    for text in (quote_from_bytes(raw, safe=""), quote_from_bytes(raw, safe="=!*'();:@/?$,[] \r\n\t_~")):
        part = text.encode()
        assert decode_part(part) == unquote_to_bytes(part.replace(b"+", b" ")) == raw


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=30)), max_size=9))
def test_pairs_are_those_of_the_standard_library(pairs: list[tuple[str, str]]) -> None:

    text = urlencode(pairs)

    assert pairs_of(text.encode(), 100) == parse_qsl(text, keep_blank_values=True) == pairs


@pytest.mark.parametrize("part", [b"%", b"%1", b"%zz", b"a%", b"%%41", b"%4", b"%\r\n", b"%=41"])
def test_what_is_no_percent_encoding_is_refused(part: bytes) -> None:
    with pytest.raises(ValueError, match="percent"):
        decode_part(part)


@pytest.mark.parametrize("text", [b"a", b"a=1&", b"&a=1", b"a=1&&b=2", b"a=1&b", b"a=%ff", b"&".join([b"a=1"] * 101)])
def test_what_is_no_form_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        pairs_of(text, 100)


def test_an_empty_form_has_no_pairs() -> None:
    assert pairs_of(b"", 100) == []
