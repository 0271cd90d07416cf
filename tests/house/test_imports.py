"""The house rules that import-linter cannot say."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINDERY = ROOT / "build" / "bindery"
FUNCTIONS = ROOT / "functions"


def modules(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Names of top-level packages that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def calls(path: Path) -> Iterator[str]:
    """Dotted names of what a module calls or looks up, such as `datetime.now` and `os.environ`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def test_source_folders_are_not_packages() -> None:
    """An `__init__.py` there would shadow PyPA's build and the standard library's site."""
    assert not (ROOT / "build" / "__init__.py").exists()
    assert not (ROOT / "site" / "__init__.py").exists()


def test_site_holds_no_python() -> None:
    assert sorted((ROOT / "site").rglob("*.py")) == []


def test_every_kind_is_named_in_the_rule_that_keeps_kinds_apart() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    for name, folder in (
        ("Kinds do not know each other", "kinds"),
        ("Outputs do not know each other", "outputs"),
    ):
        (rule,) = [rule for rule in rules if rule["name"] == name]
        there = {
            f"bindery.{folder}.{path.stem}"
            for path in (BINDERY / folder).iterdir()
            if (path.suffix == ".py" or (path / "__init__.py").exists())
            and path.stem not in ("__init__", "item", "__pycache__")
        }
        assert set(rule["modules"]) == there


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("chalice", {"app.py"}),
        ("boto3", set()),
        (
            "botocore",
            {
                "chalicelib/aws.py",
                "chalicelib/dynamodb_store",
                "chalicelib/s3_files.py",
                "chalicelib/s3_site.py",
                "chalicelib/ses_mailer.py",
            },
        ),
        ("sqlite3", {"chalicelib/sqlite_store"}),
    ],
)
def test_frameworks_stay_where_they_belong(package: str, allowed: set[str]) -> None:
    """`allowed`: modules, and packages with all that is in them."""
    users = {
        path.relative_to(FUNCTIONS).as_posix() for path in modules(FUNCTIONS) if package in imported(path)
    }
    assert {
        user for user in users if not any(user == one or user.startswith(f"{one}/") for one in allowed)
    } == set()


def test_the_bindery_reads_clock_and_environment_in_its_command_line_alone() -> None:
    users = {
        path.relative_to(BINDERY).as_posix()
        for path in modules(BINDERY)
        if {"os.environ", "os.getenv", "datetime.now", "date.today", "datetime.utcnow"} & set(calls(path))
    }
    assert users <= {"cli.py", "cli_publishing.py"}


def test_the_domain_reads_clock_and_environment_in_its_wiring_alone() -> None:
    users = {
        path.relative_to(FUNCTIONS).as_posix()
        for path in modules(FUNCTIONS / "chalicelib")
        if {"os.environ", "os.getenv", "datetime.now", "date.today", "time.time"} & set(calls(path))
    }
    assert users <= {"chalicelib/wiring.py"}


def test_the_domain_imports_the_standard_library_alone() -> None:
    """Jinja sets answers for browsers; it is imported inside the function that needs it."""
    import sys

    for path in modules(FUNCTIONS / "chalicelib"):
        tree = ast.parse(path.read_text())
        at_import = {
            (alias.name if isinstance(node, ast.Import) else node.module or "").partition(".")[0]
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        strangers = {name for name in at_import if name not in sys.stdlib_module_names} - {
            "chalicelib",
            "tzdata",
        }
        assert strangers == set(), path


def test_no_committed_file_names_a_registry_or_a_machine() -> None:
    import subprocess

    # Put together here, so that this file does not name them itself.
    words = ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "/work/" + "main", "/root" + "/"]
    found = subprocess.run(
        ["git", "grep", "-lIi", *[part for word in words for part in ("-e", word)]],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.stdout.split() == []
