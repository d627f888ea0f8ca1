"""The app for forms without an example file. TESTED_HOST and TESTED_FORM select the app."""

import os

from tests.hosts.forms import build

app = build(os.environ["TESTED_HOST"], os.environ["TESTED_FORM"])
