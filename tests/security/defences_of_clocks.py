"""Defences of cookies beside ours, and of clocks: a part of the list of `defences`."""

from tests.security.defences import Defence

CLOCKS = [
    Defence(
        "the cookies of another installation are not deleted",
        "web/authenticator.py",
        "self.cookies.clear(keep=foreign) if genuine else []",
        "self.cookies.clear()",
        "web/test_cookies_beside_ours.py::test_cookies_that_no_key_of_ours_made_are_left_alone",
    ),
    Defence(
        "cookies of two users log nobody in",
        "web/cookie_choice.py",
        "if len({item.user_id for item in (*access, *refresh)}) > 1:",
        "if len({item.user_id for item in (*access, *refresh)}) > 2:",
        "web/test_cookies_beside_ours.py::test_two_users_are_refused_where_a_login_is_asked_for_and_break_no_public_page",
    ),
]
