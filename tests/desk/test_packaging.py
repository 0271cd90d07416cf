"""What AWS is given is made for real, by Chalice and pip, and looked into."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from desk import packaging

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
AARCH64 = 0xB7

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The archive and what its template says."""
    archive, template = packaging.package(tmp_path_factory.mktemp("aws") / "out")
    return archive, json.loads(template.read_text())


@pytest.fixture(scope="module")
def task(made: tuple[Path, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive as Lambda lays it out."""
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(made[0]) as archive:
        archive.extractall(folder)
    return folder


def test_the_folder_holds_the_archive_and_the_template_alone(made: tuple[Path, Any]) -> None:
    assert sorted(path.name for path in made[0].parent.iterdir()) == ["deployment.zip", "sam.json"]


def test_the_archive_holds_the_functions_and_what_they_import_and_no_more(task: Path) -> None:
    tops = {path.name for path in task.iterdir() if not path.name.endswith(".dist-info")}
    assert tops == {"__pycache__", "app.py", "chalice", "chalicelib", "jinja2", "markupsafe", "tzdata"}
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "functions/chalicelib"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    wanted = {name.removeprefix("functions/") for name in listed}
    there = {path.relative_to(task).as_posix() for path in (task / "chalicelib").rglob("*") if path.is_file()}
    assert {name for name in there if "__pycache__" not in name} == wanted


def test_the_zones_of_the_world_are_where_the_environment_says(task: Path) -> None:
    """They are found without a search, and on a machine that has none of its own."""
    environ = {"PYTHONTZPATH": str(task / "tzdata" / "zoneinfo")}
    code = "import sys, zoneinfo; zoneinfo.ZoneInfo('America/Denver'); print('tzdata' in sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-c", code], env=environ, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_every_module_is_there_compiled_because_lambda_keeps_nothing(task: Path) -> None:
    sources = {path.with_suffix("") for path in task.rglob("*.py")}
    tag = sys.implementation.cache_tag
    compiled = {path.parents[1] / path.name.partition(".")[0] for path in task.rglob(f"*.{tag}.pyc")}
    assert compiled == sources


def test_what_is_compiled_for_a_machine_is_for_that_of_the_functions(task: Path) -> None:
    (library,) = task.rglob("*.so")
    assert int.from_bytes(library.read_bytes()[18:20], "little") == AARCH64


def test_the_app_imports_from_the_archive_alone_in_an_empty_environment(task: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(task)!r}); import app, chalicelib; print(app.app.app_name)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], env={}, capture_output=True, text=True, cwd="/"
    )
    assert (done.stdout, done.stderr) == ("desk\n", "")


def test_the_same_sources_make_the_same_bytes(made: tuple[Path, Any], tmp_path: Path) -> None:
    again, template = packaging.package(tmp_path / "out")
    assert again.read_bytes() == made[0].read_bytes()
    assert template.read_text() == (made[0].parent / "sam.json").read_text()


def test_the_template_passes_the_judge_of_templates(made: tuple[Path, Any]) -> None:
    judge = Path(sys.executable).with_name("cfn-lint")
    asked = [str(judge), "--template", str(made[0].parent / "sam.json"), "--include-checks", "W", "E"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (said.stdout, said.returncode) == ("", 0), said.stdout + said.stderr


def test_two_functions_run_on_arm(made: tuple[Path, Any]) -> None:
    found = {
        name: one["Properties"]
        for name, one in made[1]["Resources"].items()
        if one["Type"] == "AWS::Serverless::Function"
    }
    assert {name: (one["Handler"], one["Architectures"]) for name, one in found.items()} == {
        "APIHandler": ("app.app", ["arm64"]),
        "Work": ("app.work", ["arm64"]),
    }
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert {one["Runtime"] for one in found.values()} == {runtime}


def test_every_route_of_the_app_is_a_path_of_the_gateway(made: tuple[Path, Any]) -> None:
    from app import app

    paths = made[1]["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    assert set(paths) == set(app.routes)


def test_a_flood_is_held_before_it_reaches_a_function(made: tuple[Path, Any]) -> None:
    """Each instance counts wrong keys for itself; the gateway bounds what all of them together take."""
    assert made[1]["Resources"]["RestAPI"]["Properties"]["MethodSettings"] == [
        {
            "ResourcePath": "/*",
            "HttpMethod": "*",
            "ThrottlingRateLimit": 100,
            "ThrottlingBurstLimit": 200,
        }
    ]


@pytest.mark.parametrize(("role", "file"), [("ApiHandlerRole", "api"), ("WorkRole", "work")])
def test_each_function_may_do_what_its_policy_file_says(made: tuple[Path, Any], role: str, file: str) -> None:
    kept = json.loads((FUNCTIONS / "aws" / f"policy-{file}.json").read_text())
    (policy,) = made[1]["Resources"][role]["Properties"]["Policies"]
    assert policy["PolicyDocument"] == kept
    for statement in kept["Statement"]:
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in statement["Action"])
        assert statement["Resource"] != "*"


def test_the_environment_has_every_setting_and_no_secret(made: tuple[Path, Any]) -> None:
    """Promise 28: nothing secret is at rest: the template names where the secret is kept."""
    given = made[1]["Globals"]["Function"]["Environment"]["Variables"]
    assert given == {
        "SUPPORT_URL": {"Ref": "SiteUrl"},
        "SUPPORT_STORE": {"Fn::Sub": "dynamodb:${Table}"},
        "SUPPORT_FILES": {"Fn::Sub": "s3:${Files}"},
        "SUPPORT_MAIL": {"Fn::Sub": "ses:${MailEvents}"},
        "SUPPORT_CATALOG": {"Fn::Sub": "s3://${SiteBucket}/data/catalog.json"},
        "SUPPORT_PROXIES": "1",  # CloudFront
        "PYTHONTZPATH": "/var/task/tzdata/zoneinfo",
        "SUPPORT_SECRET": {"Fn::Sub": "{{resolve:secretsmanager:${Secret}:SecretString}}"},
    }
    secret = made[1]["Resources"]["Secret"]["Properties"]
    assert secret["GenerateSecretString"]["PasswordLength"] == 64
    assert "SecretString" not in secret
    assert not re.search(r"AKIA|\b\d{12}\b", json.dumps(made[1]))


def test_the_table_is_the_one_that_the_store_wants(made: tuple[Path, Any]) -> None:
    table = made[1]["Resources"]["Table"]
    wanted = json.loads(packaging.TABLE.read_text())
    assert {name: table["Properties"][name] for name in wanted} == wanted
    assert table["DeletionPolicy"] == "Retain"


def test_work_is_done_every_minute_and_when_a_mail_is_queued_and_failures_are_kept(
    made: tuple[Path, Any],
) -> None:
    work = made[1]["Resources"]["Work"]["Properties"]
    dead = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    assert work["Events"]["EveryMinute"]["Properties"] == {"Schedule": "rate(1 minute)"}
    queued = work["Events"]["MailQueued"]["Properties"]
    assert json.loads(queued["FilterCriteria"]["Filters"][0]["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "mail "}]}}},
    }
    assert queued["DestinationConfig"]["OnFailure"] == {"Type": "SQS", "Destination": dead}
    assert work["DeadLetterQueue"] == {"Type": "SQS", "TargetArn": dead}
    alarm = made[1]["Resources"]["DeadLettersAlarm"]["Properties"]
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"


def test_a_tool_that_fails_is_told_of_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packaging, "REQUIREMENTS", tmp_path / "none.txt")
    with pytest.raises(packaging.PackageTrouble) as trouble:
        packaging.package(tmp_path / "out")
    assert "Could not open requirements file" in str(trouble.value)
