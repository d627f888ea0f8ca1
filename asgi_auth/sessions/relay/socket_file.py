"""The files of the relay: a Unix socket for the user of the process alone, and the lock that elects who listens."""

import os
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path

from asgi_auth.process.fork import renew_after_fork

OWNER_ONLY = 0o600
#: A peer's process, user and group, as Linux tells them.
CREDENTIALS = struct.Struct("3i")
#: Processes that may begin at the same moment. The system may allow fewer.
BACKLOG = 2000
#: The user of a socket that is not connected.
NOT_CONNECTED = -1


class Lock:
    """A lock on the file beside the socket. The kernel releases it when the process dies, however it dies."""

    def __init__(self, path: str) -> None:
        """Take nothing yet."""
        self._path = f"{path}.lock"
        self._file: int | None = None
        renew_after_fork(self)

    def renew(self) -> None:
        """Close the file in a forked child: the lock stays with the parent, and ends with it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def take(self) -> bool:
        """Take the lock; return False while another process has it. Raises OSError for a file of another user."""
        import fcntl  # noqa: PLC0415 (Windows has none)

        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, OWNER_ONLY)
        try:
            require_own(os.fstat(file), self._path)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        except BaseException:
            os.close(file)
            raise
        self._file = file
        return True

    def release(self) -> None:
        """Release the lock; a no-op without it."""
        self.renew()


def listening(path: str) -> socket.socket:
    """Return a listening socket that only the user of this process can connect to, in place of an older one.

    Raises OSError when there is another file at the path.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(f"{path} is no socket")
        Path(path).unlink()
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # On Linux the file is created with the permissions of the socket: there is no moment in which others connect.
        with suppress(OSError):
            os.fchmod(made.fileno(), OWNER_ONLY)
        made.bind(path)
        Path(path).chmod(OWNER_ONLY)
        made.listen(BACKLOG)
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made


def require_own_file(path: str) -> None:
    """Raise PermissionError for a file of another user, and FileNotFoundError without one."""
    require_own(os.lstat(path), path)


def require_own(status: os.stat_result, path: str) -> None:
    """Raise PermissionError for a file of another user."""
    if status.st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to another user")


def require_own_peer(descriptor: int) -> None:
    """Raise PermissionError when the other end of a connection is a process of another user.

    Raises ConnectionRefusedError when there is none: an event loop takes a socket for connected that has found the
    backlog of the other process full.
    Systems other than Linux have the permissions of the files alone.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return
    with socket.socket(fileno=os.dup(descriptor)) as copied:
        told = copied.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    _, user, _ = CREDENTIALS.unpack(told)
    if user == NOT_CONNECTED:
        raise ConnectionRefusedError("the backlog of the other process is full")
    if user != os.geteuid():
        raise PermissionError("the other process belongs to another user")
