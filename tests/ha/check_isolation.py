"""Nothing is left of a run that was killed. `make test-ha` runs this, as root; `make test` does not."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.deploy.programs import ROOT


def running(word: str) -> list[int]:
    """Return the processes with a word on their command line, those of other namespaces too."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and word.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_leaves_no_process_no_network_and_no_file(number: signal.Signals) -> None:
    word = str(random.randint(10**6, 10**7))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.ha.asleep", word]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"asleep\n"
        assert len(running(word)) > 1
        process.send_signal(number)
        process.wait(20)
    end = time.monotonic() + 10
    while running(word) and time.monotonic() < end:
        time.sleep(0.05)

    assert running(word) == []
    names = subprocess.run(["ip", "netns", "list"], check=True, capture_output=True, text=True).stdout
    assert "app1" not in names
    assert not Path("/run/asgi-auth-ha/app1").exists()
    assert not list(Path("/run/asgi-auth-ha").glob("*"))
