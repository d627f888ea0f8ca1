"""What the package ships: no tests in the wheel, no unhashed pins, and no dependency with known vulnerabilities."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent.parent
PINS = ("requirements.txt", "requirements-dev.txt", "requirements-bench.txt", "requirements-hosts.txt")
#: The first versions without the known vulnerabilities (see lessons.csv).
FIXED = {"pyjwt": "2.14", "jinja2": "3.1.6", "starlette": "1.6", "cryptography": "44", "argon2-cffi": "23.1"}


def pinned(file: str) -> dict[str, str]:
    text = (ROOT / file).read_text("utf-8")
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)(?:\[.*?\])?==([^ ;\\]+)", text, re.MULTILINE))


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)

    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    [scripts] = [zipfile.ZipFile(wheel).read(name) for name in names if name.endswith("entry_points.txt")]

    assert scripts.decode().split() == [
        "[console_scripts]", "asgi-auth", "=", "asgi_auth.command.main:main",
        "[pytest11]", "asgi_auth", "=", "asgi_auth.testing.plugin",
    ]  # fmt: skip
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"asgi_auth"}
    assert not [name for name in names if re.search(r"\btests?\b|\btest_|example|\.env|\.git|\.pem|\.db$", name)]


@pytest.mark.parametrize("file", PINS)
def test_every_pin_has_a_hash(file: str) -> None:
    blocks = re.split(r"\n(?=\S)", (ROOT / file).read_text("utf-8").strip())

    assert len(blocks) > 20
    assert [block.partition("\n")[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("file", PINS)
def test_the_pins_name_no_address_and_no_path(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")

    assert re.findall(r"\S*://\S*|^--?(?!hash).*|^[./].*", text, re.MULTILINE) == []


@pytest.mark.parametrize(("package", "least"), FIXED.items())
def test_no_version_with_known_faults_is_allowed_or_pinned(package: str, least: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    asked = [item for group in groups for item in map(Requirement, group) if item.name.lower() == package]

    for requirement in asked:
        assert not requirement.specifier.contains(str(Version(least).release[0] - 1) + ".99")
        assert all(Version(part.version) >= Version(least) for part in requirement.specifier if part.operator == ">=")
    for file in PINS:
        assert Version(pinned(file).get(package, least)) >= Version(least)
