"""Device names: what a user reads in the list of sessions."""

import pytest

from asgi_auth.model.user_agent import device_name

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (WINDOWS, "Chrome on Windows"),
        (WINDOWS + " Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 20_0 like Mac OS X) AppleWebKit/605.1 Version/20.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/7.88.1", "curl"),
        ("okhttp", "okhttp"),
        ("Dalvik/2.1.0 (Linux; U; Android 16)", "Android"),
        ("", "unknown device"),
        ("x" * 300, "x" * 39 + "…"),
        ("x" * 40, "x" * 40),
    ],
)
def test_a_device_is_named_as_its_owner_would(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name
