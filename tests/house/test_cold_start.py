"""What a function that starts cold must not wait for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {
    *("boto3", "botocore", "sqlite3", "smtplib", "ssl", "email.message", "jinja2", "html.parser"),
    *("difflib", "calendar", "uuid", "http", "hashlib", "waitress", "click"),
}
"""What only some requests need, each some milliseconds or more: to be imported where it is used."""

ASKED = """
import json, sys
from app import app
asked = {"resourcePath": "/api/updates", "httpMethod": "POST", "identity": {"sourceIp": "192.0.2.1"}}
said = {"product": "cityworks", "version": "24.1"}
headers = {"content-type": "application/json"}
event = {"headers": headers, "multiValueHeaders": {}, "body": json.dumps(said), "requestContext": asked}
event |= {"pathParameters": None, "multiValueQueryStringParameters": None, "stageVariables": None}
event |= {"isBase64Encoded": False}
answer = app(event, None)
assert answer["statusCode"] == 200, answer
"""


def loaded(code: str, environ: dict[str, str]) -> set[str]:
    """The modules that a fresh interpreter has after running `code`."""
    code += "\nimport sys, json; sys.stdout.write(json.dumps(list(sys.modules)))"
    environ = {**environ, "PYTHONPATH": str(ROOT / "functions")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_the_app_imports_in_an_empty_environment_and_without_the_sdk() -> None:
    assert loaded("import app", {}) & HEAVY == set()


def test_an_answer_from_the_catalog_needs_no_database_no_sdk_and_no_template() -> None:
    environ = {
        "SUPPORT_CATALOG": str(ROOT / "tests" / "desk" / "catalog.json"),
        "SUPPORT_STORE": "dynamodb:desk",
        "SUPPORT_FILES": "s3:desk",
        "SUPPORT_MAIL": "ses:",
        "SUPPORT_SECRET": "a secret for the tests alone",
    }
    assert loaded(ASKED, environ) & HEAVY == set()


def test_the_garbage_collector_works_once_the_app_is_imported() -> None:
    code = "import app, gc; assert gc.isenabled() and gc.get_freeze_count() > 0"
    assert loaded(code, {})
