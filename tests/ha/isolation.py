"""A machine within the machine: own processes, mounts and networks, which the kernel removes whatever happens.

The program runs itself again below `unshare`. When that process ends, even by SIGKILL, the kernel kills all processes
of its namespace, and with them go the network namespaces and the files in memory. Ports, files and hosts of the
machine are not touched, so nothing else that runs here notices.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

#: Set inside, so that the program is not started once more.
INSIDE = "ASGI_AUTH_HA_INSIDE"
NAMESPACES = ["--fork", "--pid", "--kill-child", "--mount", "--mount-proc", "--net", "--propagation", "private"]
CLONE_NEWNET = 0x40000000
PARENT_DEATH_SIGNAL = 1
#: The files of the programs that run inside, in memory.
STATE = Path("/run/asgi-auth-ha")


def missing(programs: list[str]) -> list[str]:
    """Return the programs that the machine does not have."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin:/usr/lib/postgresql/15/bin"
    return [name for name in programs if shutil.which(name, path=path) is None]


def isolate(module: str, arguments: list[str]) -> int:
    """Run a module of Python inside; return its exit status. Ctrl-C and SIGTERM reach it."""
    command = ["unshare", *NAMESPACES, sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, env={**os.environ, INSIDE: "1"}, preexec_fn=_die_with_parent)  # noqa: PLW1509 (no thread of ours runs yet)
    signal.signal(signal.SIGTERM, lambda *_: process.kill())
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.kill()
        return process.wait()


def is_inside() -> bool:
    """Tell whether this process runs inside already."""
    return INSIDE in os.environ


def be_init() -> None:
    """Let a child go on, and wait for orphans, as the first process of a machine must: a zombie looks alive."""
    child = os.fork()
    while child:
        ended, status = os.wait()
        if ended == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def prepare() -> None:
    """Mount the folders in memory that the programs write to."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for folder in (Path("/run/netns"), STATE):
        folder.mkdir(parents=True, exist_ok=True)
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(folder))


def mount(*arguments: str) -> None:
    """Mount something for the processes inside."""
    subprocess.run(["mount", *arguments], check=True)


def put_over(path: str, text: str) -> None:
    """Show another text in the place of a file of the machine, to the processes inside."""
    file = STATE / path.strip("/").replace("/", "-")
    file.write_text(text, "utf-8")
    target = Path(path)
    if not target.exists():
        # A file of the machine stays as it is; here it is missing, so its folder is replaced.
        target.parent.mkdir(parents=True, exist_ok=True)
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(target.parent))
        target.touch()
    mount("--bind", str(file), path)


def enter(host: str) -> None:
    """Move this process into the network of a host."""
    with Path(f"/run/netns/{host}").open() as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
