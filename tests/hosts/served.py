"""The target of servers for the forms that no example shows: `app` is what TESTED_HOST and TESTED_FORM name."""

import os

from tests.hosts.forms import build

app = build(os.environ["TESTED_HOST"], os.environ["TESTED_FORM"])
