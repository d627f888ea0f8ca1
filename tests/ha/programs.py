"""Programs that run on hosts of the network namespaces."""

import os
import signal
import subprocess
from pathlib import Path

from tests.ha.isolation import STATE

Process = subprocess.Popen[bytes]


class Programs:
    """Starts and stops programs by name. Their output is in `logs`."""

    def __init__(self, logs: Path) -> None:
        """Start nothing yet."""
        self._logs = logs
        self._running: dict[str, Process] = {}

    def start(
        self,
        name: str,
        host: str,
        command: list[str],
        *,
        user: str | None = None,
        environment: dict[str, str] | None = None,
        binds: dict[str, str] | None = None,
    ) -> Process:
        """Run a command on a host, as a user; `binds` shows folders in the places of others, to this program only."""
        assert name not in self._running, name
        steps = [f"mount --bind {source} {target}" for target, source in (binds or {}).items()]
        change = f"setpriv --reuid {user} --regid {user} --init-groups " if user else ""
        script = " && ".join([*steps, f'exec {change}"$@"'])
        with (self._logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                ["ip", "netns", "exec", host, "sh", "-c", script, "sh", *command],
                env={**os.environ, **(environment or {})},
                cwd=STATE,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._running[name] = process
        return process

    def is_running(self, name: str) -> bool:
        """Tell whether a program was started and not stopped."""
        return name in self._running

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a program."""
        self._running[name].send_signal(number)

    def stop(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End a program; do nothing if it is not running."""
        process = self._running.pop(name, None)
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
