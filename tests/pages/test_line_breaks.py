"""Where long names break in narrow lines."""

import pytest

from asgi_auth.pages.line_breaks import breakable


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("ada@example.com", "ada@example.com"),
        ("ada-love@example.com", '<span class="unbroken">ada-love@example.com</span>'),
        (
            "ada-d4704dc5ed79@mail.example.com",
            '<span class="unbroken">ada-d4704dc5ed79</span><wbr>@mail.example.com',
        ),
        ("a.very.long.role.of_a.directory", "a.<wbr>very.<wbr>long.<wbr>role.<wbr>of_<wbr>a.<wbr>directory"),
        (
            "ada@subdomain.of.a-long-company-name.example.com",
            "ada<wbr>@subdomain.<wbr>of.<wbr>a-long-company-name.<wbr>example.<wbr>com",
        ),
        # Wide letters count twice, so that what is kept together fits.
        ("WWWWWWWWWWWWWW-A", "WWWWWWWWWWWWWW-A"),
        ("<b>&@x", "&lt;b&gt;&amp;@x"),
        ("@", "@"),
        ("", ""),
    ],
)
def test_a_name_breaks_at_its_marks(text: str, html: str) -> None:
    assert breakable(text) == html
