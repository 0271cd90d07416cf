"""The OpenAPI document says what the desk does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app import app
from chalicelib import exchange, fields, operations
from chalicelib.refusals import Refused


def document(house: Any) -> dict[str, Any]:
    return dict(house.client.get("/api/openapi.json").json)


def test_every_route_is_an_operation_and_nothing_else_is() -> None:
    routes = {(path, method) for path, methods in app.routes.items() for method in methods}
    assert routes == {(operation.path, operation.method) for operation in operations.OPERATIONS}


def test_every_refusal_has_a_place_that_its_problem_leads_to(house: Any) -> None:
    def below(kind: type[Refused]) -> list[type[Refused]]:
        return [kind, *(deeper for one in kind.__subclasses__() for deeper in below(one))]

    known = {kind.__name__: getattr(kind, "status", None) for kind in below(Refused)}
    assert known == {name: status for name, (status, _) in operations.REFUSALS.items()}
    assert set(document(house)["components"]["responses"]) == set(known)
    assert exchange.broken("").status == 500


def test_the_document_is_openapi_3_1(house: Any) -> None:
    whole = document(house)
    assert whole["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(whole).iter_errors()] == []


def test_the_schemas_are_schemas_and_every_reference_leads_somewhere(house: Any) -> None:
    whole = document(house)
    for schema in whole["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)

    def follow(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                found: Any = whole
                for step in value["$ref"].removeprefix("#/").split("/"):
                    found = found[step]
            for inner in value.values():
                follow(inner)
        elif isinstance(value, list):
            for inner in value:
                follow(inner)

    follow(whole)
    for path, methods in whole["paths"].items():
        for method, said in methods.items():
            assert said["responses"], (path, method)


def test_an_example_of_every_field_passes_its_own_check_and_schema(house: Any) -> None:
    whole = document(house)
    for form in fields.FORMS:
        example = {field.name: field.example for field in form.fields}
        assert set(fields.check(form, example, strict=True)) == set(form.names())
        for kind in ("Request", "Form"):
            name = form.name.title().replace(" ", "").replace("-", "")
            schema = whole["components"]["schemas"][name + kind]
            jsonschema.validate(example, schema)


def test_an_answer_that_is_not_declared_is_found(house: Any) -> None:
    """What holds every answer of the tests' client against the document: it must be able to fail."""
    check: Any = type(house.client).send.__globals__["conformity"].check
    reply = house.client.get("/api/health")
    sound = ("GET", "/api/health", reply.status, reply.headers, reply.body)
    check(*sound)
    more = json.dumps({**reply.json, "more": 1}).encode()
    less = json.dumps({name: value for name, value in reply.json.items() if name != "store"}).encode()
    unnamed = {name: value for name, value in reply.headers.items() if name != "x-request-id"}
    for method, path, status, headers, body in (
        ("GET", "/api/health", 200, reply.headers, more),
        ("GET", "/api/health", 200, reply.headers, less),
        ("GET", "/api/health", 404, reply.headers, reply.body),
        ("GET", "/api/health", 200, {**reply.headers, "content-type": "text/html"}, reply.body),
        ("GET", "/api/health", 200, unnamed, reply.body),
        ("GET", "/api/nothing", 200, reply.headers, reply.body),
        ("DELETE", "/api/health", 405, {**reply.headers, "allow": "GET"}, reply.body),
        ("GET", "/elsewhere", 200, {**reply.headers, "server": "x"}, b""),
    ):
        with pytest.raises(AssertionError):
            check(method, path, status, headers, body)


def test_every_kind_of_answer_has_its_declared_shape(house: Any) -> None:
    """The client compares each with the document; here each is asked for once."""
    client, key = house.client, house.keys["AZ-1001"]
    ticket = {
        "name": "Dana",
        "email": "dana@example.gov",
        "organization": "City",
        "kind": "defect",
        "severity": "P1",
        "subject": "Down",
        "description": "All.",
        "product": "widget",
        "version": "2.0",
    }
    held = {"agreement": "AZ-1001", "key": key}
    release = {"product": "widget", "version": "2.0"}
    receipt = client.json("/api/tickets", ticket)
    url = receipt.json["url"].removeprefix(house.desk.settings.url)
    replies = [
        client.get("/api/health"),
        receipt,
        client.get(url),
        client.json(url + "/messages", {"text": "More"}),
        client.json(url + "/attachments", {"name": "a.txt", "size": 3}),
        client.json("/api/renewals", held),
        client.json("/api/downloads", {**held, **release, "file": "setup.zip"}),
        client.json("/api/updates", {**held, **release}),
        client.json("/api/tickets", {}),
    ]
    assert [reply.status for reply in replies] == [200, 201, 200, 200, 201, 200, 200, 200, 422]


def test_what_a_browser_is_led_to_has_its_declared_shape_for_a_program_too(house: Any) -> None:
    client = house.client
    held = {"agreement": "AZ-1001", "key": house.keys["AZ-1001"]}
    wanted = {**held, "product": "widget", "version": "2.0", "file": "setup.zip"}
    for path, form in (("/api/renewals", held), ("/api/downloads", wanted)):
        where = client.form(path, form).headers["location"]
        assert client.get(where, Accept="application/json").json == client.json(path, form).json
    where = client.form("/api/subscriptions", {"email": "ann@example.org", "topics": "newsletter"})
    assert client.get(where.headers["location"], Accept="application/json").status == 200
    for step in ("confirm", "leave"):
        house.desk.outbox.run()
        mails = [
            mail.read_text().replace("=\n", "") for mail in (house.desk.settings.var / "mail").glob("*.eml")
        ]
        paths = {found for mail in mails for found in re.findall(rf"/api/subscriptions/{step}/[\w-]+", mail)}
        if step == "leave":
            said = client.send("POST", path).json["leave_url"]
            paths = {said.removeprefix(house.desk.settings.url)}
        (path,) = paths
        assert client.get(path, Accept="application/json").status == 200


def test_json_answers_never_import_jinja_and_the_app_imports_with_an_empty_environment() -> None:
    program = (
        "import sys, app\n"
        "from chalicelib import answers, openapi\n"
        "answers.as_json(openapi.document('http://localhost'))\n"
        "assert 'jinja2' not in sys.modules and 'boto3' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], env={}, check=True, timeout=60)
