"""Files that commands write."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

#: What is written may hold secrets and addresses: only its owner may read it.
MODE = 0o600


@contextmanager
def new_file(name: str) -> Iterator[BinaryIO]:
    """Create a file that only its owner may read; it is removed if the block raises.

    Raises FileExistsError: no earlier file is overwritten.
    """
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
