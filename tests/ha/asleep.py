"""Runs nothing but a program that sleeps, on a host of a network: for the check of the isolation."""

import sys
import time

from tests.ha import isolation
from tests.ha.network import Network
from tests.ha.programs import Programs


def main() -> int:
    """Isolate, start the program, tell that it runs, and sleep. The argument is for how many seconds."""
    if not isolation.is_inside():
        return isolation.isolate("tests.ha.asleep", sys.argv[1:])
    isolation.be_init()
    isolation.prepare()
    Network(["db1", "app1"])
    isolation.enter("app1")
    Programs(isolation.STATE).start("sleep", "db1", ["sleep", sys.argv[1]], user="nobody")
    print("asleep", flush=True)
    time.sleep(600)
    return 0


if __name__ == "__main__":
    sys.exit(main())
