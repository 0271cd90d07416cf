"""The edition for AWS, whole: the app gets events as API Gateway makes them, and everything that it uses is
chosen by the environment alone: DynamoDB (Amazon's own local one), S3 (SeaweedFS), SES (a small endpoint).

Each request that the SDK makes is held against the policies that the functions have on AWS.
"""

from __future__ import annotations

import fnmatch
import hashlib
import importlib
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import lxml.html
import pytest

from chalicelib import aws, wiring
from chalicelib.agreements import Agreement
from chalicelib.dynamodb_store import TABLE
from chalicelib.refusals import NotStored
from chalicelib.signing import agreement_key, fingerprint

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
CATALOG = ROOT / "tests" / "desk" / "catalog.json"
SITE = "https://support.example.com"
CONTENT = b"what is downloaded\n" * 1000
TICKET = {
    "name": "Ann Example",
    "email": "ann@example.org",
    "kind": "question",
    "severity": "P3",
    "subject": "Where is the button",
    "description": "I cannot find it.",
}


@dataclass
class Lambda:
    """The app, asked as API Gateway asks it; `asked` is what it asked AWS: service, operation, key."""

    app: Any
    work: Any
    key: str
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def send(self, method: str, path: str, body: str = "", **headers: str) -> dict[str, Any]:
        parts = urlsplit(path)
        resource, parameters = self._resource(parts.path)
        return dict(self.app(self.event(method, resource, parts.path, parameters, body, headers), None))

    def page(self, path: str) -> tuple[Any, dict[str, str]]:
        answer = self.send("GET", path, Accept="text/html")
        assert answer["statusCode"] == 200, answer
        return lxml.html.fromstring(answer["body"]), answer["headers"]

    def form(self, path: str, values: dict[str, str]) -> str:
        """Where a browser is led to."""
        kind = "application/x-www-form-urlencoded"
        answer = self.send("POST", path, urlencode(values), **{"Content-Type": kind, "Accept": "text/html"})
        assert answer["statusCode"] == 303, answer
        return str(answer["headers"]["Location"])

    def json(self, path: str, values: dict[str, Any]) -> dict[str, Any]:
        answer = self.send("POST", path, json.dumps(values), **{"Content-Type": "application/json"})
        assert answer["statusCode"] in (200, 201), answer
        return dict(json.loads(answer["body"]))

    def _resource(self, path: str) -> tuple[str, dict[str, str]]:
        for pattern in sorted(self.app.routes, key=lambda one: one.count("{")):
            found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), path)
            if found:
                return pattern, found.groupdict()
        raise AssertionError(path)

    @staticmethod
    def event(
        method: str, resource: str, path: str, parameters: dict[str, str], body: str, headers: dict[str, str]
    ) -> dict[str, Any]:
        return {
            "resource": resource,
            "path": path,
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": resource,
                "httpMethod": method,
                "path": f"/desk{path}",
                "stage": "desk",
                "requestId": "one",
                "identity": {"sourceIp": "192.0.2.1"},
            },
            "body": body or None,
            "isBase64Encoded": False,
        }


class Context:
    """As much of Lambda's context as work asks."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 290_000


@pytest.fixture
def environ(
    dynamodb: str,
    s3_place: tuple[str, str, Any],
    ses: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[dict[str, str]]:
    """What the template gives the functions, and where AWS is."""
    bucket, prefix, _ = s3_place
    given = {
        **ses.environment(),
        "AWS_ENDPOINT_URL_S3": urlsplit(s3_place[2].meta.endpoint_url).geturl(),
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb,
        "SUPPORT_URL": SITE,
        "SUPPORT_STORE": "dynamodb:desk",
        "SUPPORT_FILES": f"s3:{bucket}/{prefix}files",
        "SUPPORT_MAIL": "ses:desk-events",
        "SUPPORT_CATALOG": f"s3://{bucket}/{prefix}site/data/catalog.json",
        "SUPPORT_SECRET": "a secret for the tests alone",
        # Nothing may be kept on a machine's disk.
        "SUPPORT_VAR": str(tmp_path / "nowhere"),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    aws.forget_session()
    # Amazon's local server has tables of their own for each key of access.
    made = aws.client("dynamodb")
    made.create_table(TableName="desk", **json.loads(TABLE.read_text("utf-8")))
    yield given
    made.delete_table(TableName="desk")
    made.close()


@pytest.fixture
def function(environ: dict[str, str], s3_place: tuple[str, str, Any], tmp_path: Path) -> Iterator[Lambda]:
    bucket, prefix, client = s3_place
    catalog = json.loads(CATALOG.read_text())
    release = catalog["products"]["cityworks"]["releases"]["24.1"]
    release["files"] = [
        {
            "name": "setup.zip",
            "size": len(CONTENT),
            "sha256": hashlib.sha256(CONTENT).hexdigest(),
            "platform": "any",
        }
    ]
    key = f"{prefix}files/releases/cityworks/24.1/setup.zip"
    client.put_object(
        Bucket=bucket, Key=key, Body=CONTENT, Metadata={"sha256": release["files"][0]["sha256"]}
    )
    client.put_object(Bucket=bucket, Key=f"{prefix}site/data/catalog.json", Body=json.dumps(catalog).encode())
    shell = "<!doctype html><title>[[ number ]]</title><p>a shell</p>"
    plain = (ROOT / "functions/chalicelib/templates/pages/ticket.html").read_text()
    client.put_object(Bucket=bucket, Key=f"{prefix}site/support/answers/other.html", Body=shell.encode())
    client.put_object(Bucket=bucket, Key=f"{prefix}site/support/answers/ticket.html", Body=plain.encode())
    staff = wiring.desk(environ)
    today = datetime.now(UTC).date()
    agreement = Agreement(
        agreement="US-1",
        customer="City of Example",
        stage="accepted",
        client_manager="",
        product="cityworks",
        licence="site",
        seats=None,
        starts=date(today.year, today.month, 1),
        contacts=("ann@example.org",),
    )
    staff.store.import_agreements([agreement], dry_run=False)
    secret = agreement_key()
    staff.store.set_key("US-1", fingerprint(secret), datetime.now(UTC))
    staff.store.close()
    import app

    app._service_of_environment.cache_clear()
    app._work_of_environment.cache_clear()
    aws.forget_session()
    made = Lambda(app.app, app.work, secret)

    def seen(model: Any, params: dict[str, Any], **_: object) -> None:
        path = urlsplit(params["url"]).path
        made.asked.append((model.service_model.service_name, model.name, path.removeprefix(f"/{bucket}")))

    aws._session().get_component("event_emitter").register("before-call", seen)
    yield made
    desk = app._service_of_environment().desk
    for part in (desk.store, desk.files, desk.mailer, desk.site()):
        part.close()
    app._service_of_environment.cache_clear()
    app._work_of_environment.cache_clear()
    aws.forget_session()
    assert not (tmp_path / "nowhere").exists()


def test_a_ticket_with_a_file_a_renewal_and_a_download(
    function: Lambda, ses: Any, s3_place: tuple[str, str, Any]
) -> None:
    """From the form to the mails, with a file sent by a browser without JavaScript."""
    url = function.form("/api/tickets", TICKET)
    page, headers = function.page(url)
    (form,) = page.xpath("//form[@enctype='multipart/form-data']")
    store = urlsplit(form.get("action"))
    assert f"form-action 'self' {store.scheme}://{store.netloc};" in headers["Content-Security-Policy"]
    fields = {one.get("name"): one.get("value") for one in form.xpath("input[@type='hidden']")}
    back = upload(form.get("action"), fields, b"what went wrong\n")
    assert back.startswith(f"{SITE}{url}?")
    page, _ = function.page(back.removeprefix(SITE))
    assert "error.log (1 KB, stored)" in page.text_content()

    renewed = function.json("/api/renewals", {"agreement": "US-1", "key": function.key})
    assert (renewed["customer"], renewed["state"]) == ("City of Example", "complimentary")

    asked = {"agreement": "US-1", "key": function.key, "product": "cityworks", "version": "24.1"}
    given = function.json("/api/downloads", {**asked, "file": "setup.zip"})
    assert fetched(given["url"]) == CONTENT
    assert fetched(given["url"].replace("setup.zip?", "other.zip?")) != CONTENT

    visitors = len(function.asked)
    assert function.work({"detail-type": "Scheduled Event"}, Context()) == {
        "noted": 0,
        "sent": 2,
        "failed": 0,
    }
    number = url.rpartition("/")[2]
    assert sum(number.encode() in re.sub(rb"=\r?\n", b"", mail) for mail in ses.mails) == 1
    assert function.work({"Records": []}, Context())["sent"] == 0
    held_by_policy("api", function.asked[:visitors], s3_place[1])
    held_by_policy("work", function.asked[visitors:], s3_place[1])


def test_a_file_that_nobody_looked_for_is_noted_by_the_work(
    function: Lambda, s3_place: tuple[str, str, Any]
) -> None:
    url = function.form("/api/tickets", TICKET)
    page, _ = function.page(url)
    (form,) = page.xpath("//form[@enctype='multipart/form-data']")
    fields = {one.get("name"): one.get("value") for one in form.xpath("input[@type='hidden']")}
    upload(form.get("action"), fields, b"what went wrong\n")
    before = len(function.asked)
    assert function.work({}, Context())["noted"] == 1
    assert function.work({}, Context())["noted"] == 0
    held_by_policy("work", function.asked[before:], s3_place[1])
    listed = function.send("GET", url, Accept="application/json")
    assert [one["state"] for one in json.loads(listed["body"])["attachments"]] == ["stored"]


def test_while_s3_cannot_be_reached_a_ticket_is_read_and_mails_go(
    function: Lambda, ses: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one of AWS's services cannot do now keeps the others from nothing."""
    import app

    url = function.form("/api/tickets", TICKET)
    app._service_of_environment().desk.files.close()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    aws.forget_session()
    page, _ = function.page(url)
    assert "Where is the button" in page.text_content()
    with pytest.raises(NotStored):
        function.work({}, Context())
    assert len(ses.mails) == 2


def test_health_tells_of_the_store_and_of_the_catalog_in_the_bucket(function: Lambda) -> None:
    told = json.loads(function.send("GET", "/api/health")["body"])
    assert (told["ok"], told["store"], told["catalog"]["format"]) == (True, "ok", 1)


def test_the_archive_answers_under_the_runtime_that_lambda_runs_it_with(
    function: Lambda, environ: dict[str, str], tmp_path: Path
) -> None:
    """In a fresh process, from the unpacked archive, with AWS's own runtime client."""
    from desk import packaging

    archive, _ = packaging.package(tmp_path / "out")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path / "task")
    sys.path.insert(0, str(ROOT))
    try:
        runtime_api = importlib.import_module("bench.runtime_api")
    finally:
        sys.path.remove(str(ROOT))
    body = json.dumps({**TICKET, "subject": "Under Lambda's runtime"})
    headers = {"content-type": "application/json", "accept": "application/json"}
    event = function.event("POST", "/api/tickets", "/api/tickets", {}, body, headers)
    run = runtime_api.run(tmp_path / "task", "app.app", [event, event], environ)
    first, second = (json.loads(answer["body"]) for answer in run.answers)
    assert [answer["statusCode"] for answer in run.answers] == [201, 201]
    assert first["number"] == second["number"]
    done = runtime_api.run(tmp_path / "task", "app.work", [{}], environ)
    assert done.answers == [{"noted": 0, "sent": 2, "failed": 0}]
    sys.modules.pop("bench.runtime_api")


# What a browser does


def upload(url: str, fields: dict[str, str], content: bytes) -> str:
    """Post the form with a file; where S3 leads to."""
    boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    parts += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="error.log"\r\n'
    body = (
        (parts + "Content-Type: text/plain\r\n\r\n").encode() + content + f"\r\n--{boundary}--\r\n".encode()
    )
    at = urlsplit(url)
    connection = HTTPConnection(at.hostname or "", at.port, timeout=30)
    try:
        kind = f"multipart/form-data; boundary={boundary}"
        connection.request("POST", at.path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        assert answer.status == 303, answer.read()
        return str(answer.getheader("Location"))
    finally:
        connection.close()


def fetched(url: str) -> bytes:
    at = urlsplit(url)
    connection = HTTPConnection(at.hostname or "", at.port, timeout=30)
    try:
        connection.request("GET", f"{at.path}?{at.query}")
        return connection.getresponse().read()
    finally:
        connection.close()


# What AWS would let a function do

ACTIONS = {
    ("s3", "HeadObject"): ("s3:GetObject",),
    ("s3", "GetObject"): ("s3:GetObject",),
    ("s3", "CopyObject"): ("s3:PutObject",),
    ("s3", "DeleteObject"): ("s3:DeleteObject",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    ("dynamodb", "GetItem"): ("dynamodb:GetItem",),
    ("dynamodb", "Query"): ("dynamodb:Query",),
    # What a transaction holds is allowed one by one.
    ("dynamodb", "TransactWriteItems"): (
        *("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
        "dynamodb:ConditionCheckItem",
    ),
    ("sesv2", "SendEmail"): ("ses:SendEmail",),
}
PLACES = {
    "site/": "arn:${AWS::Partition}:s3:::${SiteBucket}/",
    "files/": "${Files.Arn}/",
}


def held_by_policy(name: str, asked: list[tuple[str, str, str]], prefix: str) -> None:
    """Each request is one that the policy allows, on the thing that it was made for."""
    policy = json.loads((ROOT / "functions" / "aws" / f"policy-{name}.json").read_text())
    assert {service for service, _, _ in asked} >= {"s3", "dynamodb"}
    for service, operation, path in asked:
        for action in ACTIONS[service, operation]:
            resources = [
                resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
                for statement in policy["Statement"]
                if action in statement["Action"]
                for resource in (
                    statement["Resource"]
                    if isinstance(statement["Resource"], list)
                    else [statement["Resource"]]
                )
            ]
            assert resources, f"{name} may not {action}"
            if service == "s3" and operation != "ListObjectsV2":
                place = path.removeprefix(f"/{prefix}")
                for begin, arn in PLACES.items():
                    if place.startswith(begin):
                        place = arn + place.removeprefix(begin)
                allowed = any(
                    fnmatch.fnmatchcase(place, pattern.replace("[", "[[]")) for pattern in resources
                )
                assert allowed, f"{name} may not {action} on {place}, only on {resources}"
