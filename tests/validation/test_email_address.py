"""Email addresses: one person's spellings are one account, and nothing else is."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asgi_auth.errors import ValidationError
from asgi_auth.validation.email_address import PLAIN, canonical_or_none, parse_email


@pytest.mark.parametrize("text", [f"{'a' * 300}@example.com", f"ada@{'a.' * 150}com", " " * 250 + "ada@example.com"])
def test_what_is_longer_than_an_address_is_not_looked_up(text: str) -> None:
    assert canonical_or_none(text) is None
    with pytest.raises(ValidationError):
        parse_email(text)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada@Example.COM", "ada@example.com"),
        ("ada+list@example.com", "ada+list@example.com"),
        ("a.d.a@example.com", "a.d.a@example.com"),
        ("\uff21\uff24\uff21@example.com", "ada@example.com"),
        ("ada\uff20example.com", "ada@example.com"),
        ("ada@\uff45xample.com", "ada@example.com"),
        ("\u212aelvin@example.com", "kelvin@example.com"),
        ("\ufb01n@example.com", "fin@example.com"),
        ("straße@example.com", "straße@example.com"),
        ("STRA\u1e9eE@example.com", "straße@example.com"),
        ("\u039f\u0394\u039f\u03a3@example.com", "\u03bf\u03b4\u03bf\u03c2@example.com"),
        (" ada@example.com", "ada@example.com"),
        ("ada@example.com \r\n", "ada@example.com"),
        ("\u00a0\u3000ada@example.com\u2003", "ada@example.com"),
        ("\u202eada@example.com\u202c", "ada@example.com"),
        ("\ufeff\u200bada@example.com\u200d\u2060\u00ad", "ada@example.com"),
        ("\u2068ada@example.com\u2069\ufe0f\u3164", "ada@example.com"),
        ("o\u0308@example.com", "\u00f6@example.com"),
        ("\u0130@example.com", "i\u0307@example.com"),
        ("ada@bücher.example.com", "ada@xn--bcher-kva.example.com"),
        ("ada@BÜCHER.example.com", "ada@xn--bcher-kva.example.com"),
        ("ada@xn--bcher-kva.example.com", "ada@xn--bcher-kva.example.com"),
        ("ada@XN--BCHER-KVA.example.com", "ada@xn--bcher-kva.example.com"),
        ("ada@example\u3002com", "ada@example.com"),
    ],
)
def test_spellings_of_an_address_have_one_canonical_form(typed: str, canonical: str) -> None:
    assert parse_email(typed).canonical == canonical
    assert canonical_or_none(typed) == canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("i@example.com", "\u0130@example.com"),
        ("i@example.com", "\u0131@example.com"),
        ("ada@example.com", "\u0430da@example.com"),
        ("a.da@example.com", "ada@example.com"),
        ("ada@example.com", "ada+x@example.com"),
        ("ada@strasse.example.com", "ada@straße.example.com"),
        ("strasse@example.com", "straße@example.com"),
        ("\u03bf\u03b4\u03bf\u03c2@example.com", "\u03bf\u03b4\u03bf\u03c3@example.com"),
    ],
)
def test_addresses_of_different_people_stay_different(one: str, other: str) -> None:
    assert parse_email(one).canonical != parse_email(other).canonical


def test_the_address_as_typed_is_kept_for_display() -> None:
    assert parse_email("Ada.Lovelace@BÜCHER.example.com").display == "Ada.Lovelace@bücher.example.com"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "a" * 65 + "@example.com",
        "ada@@example.com",
        "ada@example.com@evil.com",
        "ada\uff20example.com@evil.com",
        "ada@example",
        "ada@example..com",
        "ada@.example.com",
        "ada@-example.com",
        "ada@example.com.",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "ada@example.com,eve@evil.com",
        "ada@example.com;eve@evil.com",
        "ada@example.com eve@evil.com",
        "ada@example.com\r\nBcc: eve@evil.com",
        "ada\r\n@example.com",
        "ada\0@example.com",
        "ada@exam\0ple.com",
        "Ada <ada@example.com>",
        "<ada@example.com>",
        "a da@example.com",
        "a\u200bda@example.com",
        "ada@exam ple.com",
        '""@example.com',
        '"a"b@example.com',
        '"ada@example.com',
        "ada@local",
        " ",
        "ada@[127.0.0.1]",
        "ada@127.0.0.1",
        "ada@localhost",
        "ada(comment)@example.com",
        "a@" + "b" * 250 + ".com",
        "ada@xn--.com",
        "\ufdfa" * 200,
    ],
)
def test_what_is_no_plain_address_is_refused(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_email(text, "mail")

    assert caught.value.errors.keys() == {"mail"}
    assert canonical_or_none(text) is None


PRIVATE = [
    ("Ada@Corp.LOCAL", "ada@corp.local"),
    ("ada@a.b.local", "ada@a.b.local"),
    ("ada@corp\u3002local", "ada@corp.local"),
    ("ada@bücher.local", "ada@xn--bcher-kva.local"),
    ("ada@Home.Arpa", "ada@home.arpa"),
    ("ada@nas.home.arpa", "ada@nas.home.arpa"),
    ('"Ada..Lovelace"@example.com', '"ada..lovelace"@example.com'),
    ('"ada lovelace"@example.com', '"ada lovelace"@example.com'),
    ('"ada@home"@example.com', '"ada@home"@example.com'),
    ('"a\\"b"@example.com', '"a\\"b"@example.com'),
    ('"ada"@example.com', "ada@example.com"),
]


@pytest.mark.parametrize(("typed", "canonical"), PRIVATE)
def test_an_address_that_no_public_server_delivers_to_can_be_looked_up_and_allowed(typed: str, canonical: str) -> None:
    assert parse_email(typed).canonical == canonical_or_none(typed) == canonical
    assert canonical_or_none(canonical) == canonical
    with pytest.raises(ValidationError):
        parse_email(typed, public=True)


@pytest.mark.parametrize("typed", ["ada@corp.localhost", "ada@corp.invalid", "ada@corp.arpa", "ada@x.onion"])
def test_other_reserved_domains_are_refused_always(typed: str) -> None:
    for public in (True, False):
        with pytest.raises(ValidationError):
            parse_email(typed, public=public)


@pytest.mark.parametrize("typed", ["ada@corp.test", "ada@corp.internal", "ada@corp.lan", "ada@thelocal.com"])
def test_domains_that_are_not_reserved_are_public(typed: str) -> None:
    assert parse_email(typed, public=True).canonical == typed


@settings(max_examples=300, deadline=None)
@given(
    local=st.text(min_size=1, max_size=12), domain=st.sampled_from(["example.com", "BÜCHER.example.com", "ﬁ.test.de"])
)
def test_a_canonical_address_is_its_own_canonical_form(local: str, domain: str) -> None:
    canonical = canonical_or_none(f"{local}@{domain}")

    if canonical is not None:
        assert canonical_or_none(canonical) == canonical
        assert canonical.count("@") == 1
        assert not {"\r", "\n", "\0", ",", ";", "<", ">", " "} & set(canonical)


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40) | st.emails())
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    canonical = canonical_or_none(text)

    assert canonical is None or canonical_or_none(canonical) == canonical


@settings(max_examples=500, deadline=None)
@given(
    text=st.builds(
        "{}@{}.{}".format,
        st.lists(st.from_regex(r"[A-Za-z0-9_+-]{1,9}", fullmatch=True), min_size=1, max_size=3).map(".".join),
        st.lists(st.from_regex(r"[A-Za-z0-9]{1,5}(-[A-Za-z0-9]{1,5})?", fullmatch=True), min_size=1).map(".".join),
        st.sampled_from(["com", "ORG", "Museum", "de", "test", "local", "xn"]),
    )
)
@example("A.b-c+D_e@Sub-domain.Example.COM")
@example("a@xn--bcher-kva.de")
@example("a@b--c.example")
def test_a_plain_address_is_compared_as_any_other(text: str) -> None:
    try:
        expected = parse_email(text).canonical
    except ValidationError:
        expected = canonical_or_none(text) or ""

    assert PLAIN.fullmatch(text) is None or expected == text.lower()
    assert (canonical_or_none(text) or "") == expected
