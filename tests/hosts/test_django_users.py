"""Django's own users, its sessions and its admin work beside the users of the library."""

import json
import os
import subprocess
import sys

import pytest

from tests.hosts.servers import ROOT


@pytest.mark.parametrize("middleware", ["IdentityMiddleware", "UserMiddleware"])
def test_the_admin_and_the_users_of_django_are_untouched(middleware: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hosts.django_admin"],
        cwd=ROOT,
        env=os.environ | {"TESTED_MIDDLEWARE": middleware},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    here, html = found.pop("id"), "text/html; charset=utf-8"
    to_login = "/auth/login?next=%2Fguarded&said=login_needed"

    assert found.pop("a guard, by a script")[1]["code"] == "unauthorized"
    assert found.pop("a role, by a script")[1]["code"] == "forbidden"
    assert found == {
        "a stranger at the admin": [302, "/admin/login/?next=/admin/"],
        "the login page of the admin": [200, html],
        "the login of the admin": [302, "/admin/"],
        "the admin": [200, html],
        "a user of Django alone": [200, {"django": "root", "here": ""}],
        "a guard": [303, to_login],
        "both users": [200, {"django": "root", "here": here}],
        "async": [200, {"django": "root", "here": here}],
        "by class": [200, {"django": "root", "here": here}],
        "role": [403, html],
        "the admin with both": [200, html],
    }
