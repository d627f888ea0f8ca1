"""The project's outer files: workflows, changelog, metadata, hooks, and what the source distribution contains."""

import re
import subprocess
import sys
import tarfile
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

import asgi_auth

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
YAML = [*WORKFLOWS, *(ROOT / ".github").glob("*.yml"), *(ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")]
OUTER = [
    ROOT / name for name in ("Makefile", "pyproject.toml", "CHANGELOG.md", "CONTRIBUTING.md", "docs/versioning.md")
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
#: An action of another repository, pinned by a commit, with the version as a comment.
PINNED = re.compile(r"^\s*(?:- )?uses: [\w.-]+(?:/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
#: The sections of Keep a Changelog.
SECTIONS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
SHIPPED = {
    "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "PKG-INFO", "README.md", "pyproject.toml",
    "requirements.txt", "requirements-dev.txt", "requirements-bench.txt", "requirements-hosts.txt",
    ".github/SECURITY.md", "asgi_auth/py.typed", "tests/conftest.py", "tests/security/requirements.csv",
    "examples/demo.py",
    "docs/versioning.md", "benchmarks/__main__.py",
}  # fmt: skip
#: The files at the top of the project, beside pins and what `.gitignore` names.
TOP = {
    ".git", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile",
    "README.md", "mkdocs.yml", "pyproject.toml",
}  # fmt: skip
FOLDERS_OF_TOP = {".ci", ".git", ".github", "asgi_auth", "benchmarks", "docs", "examples", "tests"}
UNWANTED = re.compile(r"__pycache__|\.pyc$|\.db$|\.pem$|\.env|(^|/)\.(venv|git/|mypy|ruff|hypothesis)|^(dist|site)/")


def loaded(file: Path) -> Any:
    return yaml.safe_load(file.read_text("utf-8"))


def jobs() -> list[tuple[str, dict[str, Any]]]:
    return [(f"{file.name}: {name}", job) for file in WORKFLOWS for name, job in loaded(file)["jobs"].items()]


def test_the_workflows_are_there() -> None:
    assert {file.name for file in WORKFLOWS} == {"codeql.yml", "docs.yml", "release.yml", "test.yml"}


@pytest.mark.parametrize("file", YAML, ids=lambda file: file.name)
def test_every_file_of_github_is_yaml(file: Path) -> None:
    assert isinstance(loaded(file), dict)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned_by_commit(file: Path) -> None:
    lines = [line for line in file.read_text("utf-8").splitlines() if "uses:" in line]

    assert lines
    assert [line.strip() for line in lines if not PINNED.match(line)] == []


def test_an_action_has_one_pin_in_all_workflows() -> None:
    text = "".join(file.read_text("utf-8") for file in WORKFLOWS)
    pins = set(re.findall(r"uses: (\S+)@(\S+)", text))

    assert len(pins) == len({action for action, _ in pins})


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_has_no_rights_of_its_own_and_runs_once_at_a_time(file: Path) -> None:
    workflow = loaded(file)

    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"].endswith("${{ github.ref }}")


@pytest.mark.parametrize(("name", "job"), jobs(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_job_has_few_rights_a_bound_of_time_and_leaves_no_credentials(name: str, job: dict[str, Any]) -> None:
    checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]

    assert job["timeout-minutes"] <= 45, name
    assert set(job["permissions"].items()) <= {
        ("contents", "read"),
        ("id-token", "write"),
        ("pages", "write"),
        ("security-events", "write"),
    }
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []
    assert "secrets." not in str(job)


def test_a_release_is_published_without_a_token_and_with_attestations() -> None:
    publish = loaded(ROOT / ".github" / "workflows" / "release.yml")["jobs"]["publish"]

    assert publish["permissions"] == {"id-token": "write"}
    assert publish["steps"][-1]["with"] == {"attestations": True}


@pytest.mark.parametrize("file", [*YAML, *OUTER], ids=lambda file: file.name)
def test_no_package_registry_is_named(file: Path) -> None:
    assert re.findall(r"(?:pypi|pythonhosted|npmjs|test\.pypi)\.(?:org|com)", file.read_text("utf-8")) == []


def test_the_changelog_has_the_unreleased_changes_and_this_version() -> None:
    titles = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    versions = [re.fullmatch(r"\[(.+?)\](?: - (\d{4}-\d\d-\d\d))?", title) for title in titles]
    names = [found[1] for found in versions if found]

    assert len(names) == len(titles)
    assert names[:2] == ["Unreleased", asgi_auth.__version__]
    assert all(date.fromisoformat(found[2]) for found in versions if found and found[2])
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= SECTIONS
    assert re.findall(r"^\[(.+?)\]: https://", CHANGELOG, re.MULTILINE) == names


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == asgi_auth.__version__


def test_every_python_of_the_classifiers_is_tested() -> None:
    claimed = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["classifiers"]))
    others = re.findall(r"3\.\d+", " ".join(re.findall(r"^OTHERS := (.+)$", MAKEFILE, re.MULTILINE)))
    matrix = loaded(ROOT / ".github" / "workflows" / "test.yml")["jobs"]["suite"]["strategy"]["matrix"]["python"]

    assert PROJECT["requires-python"] == f">={claimed[0]}"
    assert set(claimed) <= {claimed[0], *others}
    assert matrix == claimed


@pytest.mark.parametrize("variable", ["CORE", "OTHER_TESTS"])
def test_what_runs_with_other_versions_is_there(variable: str) -> None:
    (text,) = re.findall(rf"^{variable} := .*?\$\(addprefix tests/,(.+?)\)", MAKEFILE, re.MULTILINE | re.DOTALL)
    names = text.replace("\\\n", " ").split()

    assert [name for name in names if not (ROOT / "tests" / name).exists()] == []
    assert list((ROOT / "tests" / "storage").glob("test_contract*.py"))


def test_a_run_of_all_checks_includes_the_lowest_and_the_newest_versions() -> None:
    (needed,) = re.findall(r"^test: (.+)$", MAKEFILE, re.MULTILINE)

    assert {"lowest", "newest"} <= set(needed.split())


def test_every_dependency_has_a_lower_bound_and_only_one_with_a_private_attribute_an_upper_bound() -> None:
    extras = PROJECT["optional-dependencies"].values()
    bounds = [bound for listed in (PROJECT["dependencies"], *extras) for bound in listed]

    assert [bound for bound in bounds if ">=" not in bound] == []
    assert [re.split(r"\W", bound)[0] for bound in bounds if re.search("<|==|~=|!=", bound)] == ["databases"]


def test_nothing_else_lies_at_the_top_of_the_project() -> None:
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text("utf-8").split()]
    found = {path.name: path.is_dir() for path in ROOT.iterdir() if not any(map(path.match, ignored))}

    assert {name for name, is_folder in found.items() if not is_folder} - {path.name for path in PINS} <= TOP
    assert {name for name, is_folder in found.items() if is_folder} <= FOLDERS_OF_TOP


def test_the_urls_lead_to_one_repository() -> None:
    urls = PROJECT["urls"]

    assert urls.keys() == {"Homepage", "Documentation", "Source", "Changelog", "Issues"}
    assert all(url.startswith("https://") for url in urls.values())
    assert urls["Changelog"] == f"{urls['Source']}/blob/main/CHANGELOG.md"
    assert urls["Issues"] == f"{urls['Source']}/issues"


def test_the_hooks_before_a_commit_are_the_tools_of_the_project() -> None:
    repositories = loaded(ROOT / ".pre-commit-config.yaml")["repos"]
    hooks = [hook for repository in repositories for hook in repository["hooks"]]

    assert [repository["repo"] for repository in repositories] == ["local"]
    assert [hook["id"] for hook in hooks] == ["ruff-check", "ruff-format", "mypy"]
    assert all(hook["entry"].startswith(".venv/bin/") and hook["language"] == "system" for hook in hooks)


def test_the_guide_for_contributors_names_every_target() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    programs = {"postgres", "redis", "faketime", "codes", "zsh", "browser", "firefox", "providers", "glewlwyd"}
    internal = {*programs, "proxies", "patroni", "wrk", "clean"}

    assert [name for name in targets.split() if name not in internal and f"`make {name}`" not in guide] == []


def test_the_source_distribution_has_all_that_its_tests_need(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)

    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}

    assert SHIPPED - names == set()
    assert {name for name in names if UNWANTED.search(name)} == set()
    assert {f"tests/{file.relative_to(ROOT / 'tests').as_posix()}" for file in (ROOT / "tests").rglob("*.py")} <= names


FOLDERS = ("openapi/clients", "providers/real", "mcp/clients")
LOCKS = [ROOT / "tests" / folder / "package-lock.json" for folder in FOLDERS]
PINS = [*ROOT.glob("requirements*.txt"), *LOCKS]


@pytest.mark.parametrize("file", PINS, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_no_pin_file_carries_a_url(file: Path) -> None:
    assert "://" not in file.read_text("utf-8")
