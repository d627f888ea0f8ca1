"""The number of CPUs that this process may use: by its affinity, and by the CPU quota of its cgroup (Linux)."""

import os
from collections.abc import Iterator
from pathlib import Path

#: Where the kernel mounts the control groups, and where it tells those of a process.
CGROUPS, MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def usable_cpus() -> int:
    """Return how many CPUs the process may use at a time, at least 1.

    A container may have a quota of fewer CPUs than the machine has. Threads beyond it would only use up the quota
    earlier, and the kernel would then stop the event loop as well. So a part of a CPU is rounded down.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [int(quota) for quota in _quotas(CGROUPS, MEMBERSHIP)]
    return max(1, min([affinity, *quotas]))


def _quotas(root: Path, membership: Path) -> Iterator[float]:
    """Yield the quotas of the cgroups of this process and of those above it, in CPUs."""
    for line in _text(membership).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        for base in (root / controllers, root / "cpu") if controllers else (root,):
            # In a namespace of its own, a process sees its cgroup as the root.
            group = base / path.lstrip("/")
            for folder in (group, *group.parents):
                if folder == base.parent:
                    break
                yield from _quota(folder)


def _quota(folder: Path) -> Iterator[float]:
    """Yield the quota of one cgroup, of version 2 (`cpu.max`) or of version 1; nothing without one."""
    text = _text(folder / "cpu.max") or f"{_text(folder / 'cpu.cfs_quota_us')} {_text(folder / 'cpu.cfs_period_us')}"
    match text.split():
        case [quota, period] if quota.isdigit() and period.isdigit() and int(period) > 0:
            yield int(quota) / int(period)


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace")
    except OSError:
        return ""
