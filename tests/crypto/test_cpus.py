"""Hashing threads follow the CPUs that the process may use, not those of the machine."""

import os
from pathlib import Path

import pytest

from asgi_auth.crypto import cpus
from asgi_auth.crypto.argon2 import Argon2, PasswordHasher


def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, membership: str, files: dict[str, str], cpu: int) -> None:
    """A machine with CPUs and cgroups."""
    (tmp_path / "self").write_text(membership)
    for name, text in files.items():
        file = tmp_path / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(cpus, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(cpus, "MEMBERSHIP", tmp_path / "self")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cpu)), raising=False)


UNLIMITED = {"a/cpu.max": "max 100000\n", "cpu.max": "max 100000\n"}


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/\n", {}, 16),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "250000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "9900000 100000\n"}, 16),
        ("0::/a\n", UNLIMITED, 16),
        ("0::/a/b\n", UNLIMITED | {"a/b/cpu.max": "300000 100000"}, 3),
        ("0::/a/b\n", {"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000"}, 3),
        ("3:cpu,cpuacct:/a\n2:memory:/\n", {"cpu,cpuacct/a/cpu.cfs_quota_us": "-1\n"}, 16),
        (
            "3:cpu,cpuacct:/a\n2:memory:/\n",
            {"cpu,cpuacct/a/cpu.cfs_quota_us": "400000\n", "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n"},
            4,
        ),
        (
            "3:cpu:/docker/1234\n",
            {"cpu/cpu.cfs_quota_us": "150000\n", "cpu/cpu.cfs_period_us": "50000\n"},
            3,
        ),
        ("0::/\n", {"cpu.max": "x y z\n"}, 16),
        ("0::/\n", {"cpu.max": "1 0\n"}, 16),
        ("", {}, 16),
    ],
)
def test_the_quota_of_the_cgroups_bounds_the_cpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, membership: str, files: dict[str, str], expected: int
) -> None:
    machine(tmp_path, monkeypatch, membership, files, 16)

    assert cpus.usable_cpus() == expected
    assert PasswordHasher(Argon2.cheap())._workers == expected
    assert PasswordHasher(Argon2.cheap(), workers=5)._workers == 5


def test_the_affinity_bounds_the_cpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(tmp_path, monkeypatch, "0::/\n", {"cpu.max": "400000 100000\n"}, 3)

    assert cpus.usable_cpus() == 3


def test_systems_without_affinity_count_their_cpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(tmp_path, monkeypatch, "", {}, 3)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)

    assert cpus.usable_cpus() == 7
