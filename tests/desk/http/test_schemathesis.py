"""Schemathesis against the running desk: every request that its OpenAPI document allows, and what it
forbids."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

SEED = 20261123
# What a check takes besides its own list, with the reason. No check is left out.
SETTINGS = """
[checks.positive_data_acceptance]
# 413: a file may be announced that is larger than the printed limit. 422: shape is not all; the catalogue
# may not have the product or version, and a key may have been used with other content. That shape alone is
# never refused is a law of test_body_schemas.py.
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 413, 422, 429]

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]

[[operations]]
# A ticket without a session has no invitation, however newly it was made: not asked for after a ticket was
# made.
include-operation-id = "ticketCalendar"
phases.stateful.enabled = false

[[operations]]
# A browser without a session is led to where one signs in: 303.
include-operation-id = "keepMyCalendar"
checks.negative_data_rejection.expected-statuses = [303, 400, 401, 403, 404, 405, 413, 415, 422, 429]
"""


def sound(document: dict[str, Any], house: Any) -> dict[str, Any]:
    """The document with examples that this house knows, so that what is right is asked too."""
    known = {
        "agreement": "AZ-1001",
        "key": house.keys["AZ-1001"],
        "product": "widget",
        "version": "2.0",
        "file": "setup.zip",
    }
    for schema in document["components"]["schemas"].values():
        for name, said in schema.get("properties", {}).items():
            if "examples" in said and name in known:
                said["examples"] = [known[name]]
    return document


def run(house: Any, folder: Path, *options: str, settings: str = "") -> None:
    """Raises AssertionError with what schemathesis says."""
    schema = folder / "openapi.json"
    schema.write_text(json.dumps(sound(house.client.get("/api/openapi.json").json, house)))
    (folder / "schemathesis.toml").write_text(SETTINGS + settings)
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "--config-file",
        "schemathesis.toml",
        "run",
    ]
    command += [schema.name, "--url", house.server.url, "--checks", "all", "--seed", str(SEED), "--no-color"]
    command += ["--max-examples", "40", "--generation-database", "none", *options]
    ended = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "110"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
def test_every_check_of_schemathesis_holds_for_a_stranger(house: Any, tmp_path: Path) -> None:
    run(house, tmp_path)


@pytest.mark.slow
def test_every_check_of_schemathesis_holds_for_who_has_signed_in(house: Any, tmp_path: Path) -> None:
    agreement = house.desk.store.agreement("AZ-1001")
    house.desk.store.import_agreements([replace(agreement, contacts=("ann@example.gov",))], dry_run=False)
    secret = house.sign_in("ann@example.gov")
    (session,) = house.desk.store.sessions_of("ann@example.gov")
    # Signing out would make a stranger of everybody who comes after it.
    run(
        house,
        tmp_path,
        *("--exclude-path", "/api/sign-out"),
        settings=f'\n[auth.openapi.session]\napi_key = "{secret}"\n',
    )
    assert house.desk.store.sessions_of("ann@example.gov") == (session,)
