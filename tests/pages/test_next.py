"""Where a login may lead: paths of this site, and what is allowed exactly."""

from urllib.parse import quote

import pytest

from asgi_auth import Auth, Passwords
from asgi_auth.validation.targets import is_local_path
from tests.pages.surfer import Surfer
from tests.support import EMAIL, PASSWORD


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
        "https:evil", "javascript:alert(1)", "data:text/html,x", "/%5cevil.example", "/%2fevil.example",
        "/%2F%2Fevil", "/\t/evil", "/%09/evil.example", "/a//b", "/\x00", "/\n/x", " /x", "", "evil", "./x", "?x",
        "https://shop.example/in/", "https://shop.example/other", "https://shop.example/in?x=1",
        "/x\r\nset-cookie: a=b", "/%0d%0ax", "account/..",
    ],
)  # fmt: skip
async def test_a_login_never_leads_to_where_it_may_not(surfer: Surfer, auth: Auth, target: str) -> None:
    await auth[Passwords].register(email=EMAIL, password=PASSWORD, company="x")

    page = await surfer.get(f"login?next={quote(target, safe='')}")
    sent = {"email": EMAIL, "password": PASSWORD, "next": target}

    assert "next" not in page.form("/login").inputs
    assert (await surfer.post("login", sent)).answer.all("location") == ["/"]
    assert (await surfer.get(f"login?next={quote(target, safe='')}")).answer.all("location") == ["/"]


@pytest.mark.parametrize("target", ["/x", "/x?y=%5C&z=//#a", "/caf%C3%A9", "/a%20b", "https://shop.example/in"])
async def test_a_login_leads_on(surfer: Surfer, auth: Auth, target: str) -> None:
    await auth[Passwords].register(email=EMAIL, password=PASSWORD, company="x")

    page = await surfer.get(f"login?next={quote(target, safe='')}")
    wrong = await surfer.submit(page, "/login", email=EMAIL, password="wrong")
    done = await surfer.submit(wrong, "/login", email=EMAIL, password=PASSWORD)

    assert done.answer.all("location") == [target]


def test_letters_of_other_scripts_are_written_as_headers_can_hold_them() -> None:
    assert is_local_path("/über")
    assert not is_local_path("/a b")
