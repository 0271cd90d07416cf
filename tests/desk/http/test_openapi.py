"""The OpenAPI document says what the desk does."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import jsonschema

from app import app
from chalicelib import exchange, fields, openapi
from chalicelib.refusals import Refused


def document(house: Any) -> dict[str, Any]:
    return dict(house.client.get("/api/openapi.json").json)


def test_every_route_is_an_operation_and_nothing_else_is() -> None:
    routes = {(path, method) for path, methods in app.routes.items() for method in methods}
    assert routes == {(operation.path, operation.method) for operation in openapi.OPERATIONS}


def test_every_refusal_has_a_place_that_its_problem_leads_to(house: Any) -> None:
    def below(kind: type[Refused]) -> list[type[Refused]]:
        return [kind, *(deeper for one in kind.__subclasses__() for deeper in below(one))]

    known = {kind.__name__: getattr(kind, "status", None) for kind in below(Refused)}
    assert known == {name: status for name, (status, _) in openapi.REFUSALS.items()}
    assert set(document(house)["components"]["responses"]) == set(known)
    assert exchange.broken().status == 500


def test_the_schemas_are_schemas_and_every_reference_leads_somewhere(house: Any) -> None:
    whole = document(house)
    assert whole["openapi"] == "3.1.0"
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
        assert fields.check(form, example, strict=True)
        schema = whole["components"]["schemas"][f"{form.name.capitalize()}Request"]
        jsonschema.validate(example, schema)


def test_answers_have_the_shapes_of_the_document(house: Any) -> None:
    whole = document(house)

    def check(name: str, value: Any) -> None:
        schema = {**whole["components"]["schemas"][name], "components": whole["components"]}
        jsonschema.validate(value, schema)

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
    receipt = client.json("/api/tickets", ticket).json
    url = receipt["url"].removeprefix(house.desk.settings.url)
    check("Health", client.get("/api/health").json)
    check("Receipt", receipt)
    check("Ticket", client.get(url).json)
    check("Ticket", client.json(url + "/messages", {"text": "More"}).json)
    check("UploadForm", client.json(url + "/attachments", {"name": "a.txt", "size": 3}).json)
    check("Renewal", client.json("/api/renewals", held).json)
    check("Download", client.json("/api/downloads", {**held, **release, "file": "setup.zip"}).json)
    check("Updates", client.json("/api/updates", {**held, **release}).json)
    check("Problem", client.json("/api/tickets", {}).json)


def test_json_answers_never_import_jinja_and_the_app_imports_with_an_empty_environment() -> None:
    program = (
        "import sys, app\n"
        "from chalicelib import answers, openapi\n"
        "answers.as_json(openapi.document('http://localhost'))\n"
        "assert 'jinja2' not in sys.modules and 'boto3' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], env={}, check=True, timeout=60)
