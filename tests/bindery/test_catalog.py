"""The catalog: facts and reasons for the functions, in the shape that they read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bindery import support
from bindery.library import Library
from bindery.outputs import catalog


@pytest.fixture
def made(shelved: Callable[..., Library]) -> Callable[..., dict[str, Any]]:
    def make(changes: dict[str, str | None] | None = None, prefix: str = "/") -> dict[str, Any]:
        library = shelved(changes)
        library = Library(
            items=library.items, attached=library.attached, content=library.content, prefix=prefix
        )
        answers, known = support.answers(library), support.known_issues(library)
        ((path, text),) = catalog.outputs(
            library, answers, known, lambda region: {date(2026, 11, 26): f"Thanksgiving of {region}"}
        )
        assert path == "data/catalog.json"
        loaded: dict[str, Any] = json.loads(text)
        return loaded

    return make


def test_a_release_carries_its_dates_and_reasons_and_no_status(made: Callable[..., dict[str, Any]]) -> None:
    releases = made()["products"]["works"]["releases"]
    assert releases["1.1"] == {
        "kind": "update",
        "of": "1.0",
        "line": None,
        "after": "1.0",
        "released": "2024-05-01",
        "support_ends": "2026-02-28",
        "because": [
            "released on 2024-05-01 (releases/works/1.1.md:3)",
            "an update ends with its version, 1.0 (releases/works/1.1.md:5)",
            "Works 2.0, the next version of its line, was released on 2025-02-28 (releases/works/2.0.md:3)",
            "prior versions are supported for 12 months after that (policy/support.md:4)",
        ],
        "url": "/releases/works/1.1/",
        "sample": False,
        "security": [],
        "fixes": ["WK-2"],
        "files": [],
    }
    assert releases["2.0"]["support_ends"] is None
    assert releases["2.0"]["ends_after_next"] == "12 months"


def test_holidays_stand_as_dates(made: Callable[..., dict[str, Any]], small: Callable[..., Path]) -> None:
    policy = (
        (small() / "policy/support.md")
        .read_text()
        .replace('close: "17:00"', 'close: "17:00", holidays: US-UT, closed: [2026-12-24]')
    )
    assert made({"policy/support.md": policy})["hours"]["closed"] == {
        "2026-11-26": "Thanksgiving of US-UT",
        "2026-12-24": "Closed",
    }


def test_addresses_begin_at_the_sites_path(made: Callable[..., dict[str, Any]]) -> None:
    found = made(prefix="/help-desk/")
    assert found["products"]["works"]["url"] == "/help-desk/releases/works/"
    assert found["policy"]["url"] == "/help-desk/policy/support/"


def test_a_known_issue_names_its_page_and_its_fix(made: Callable[..., dict[str, Any]]) -> None:
    defect = "---\ntitle: A fault\nproduct: works\nfound_in: [1.0]\nworkaround: Wait.\n---\n"
    found = made({"defects/WK-2.md": defect})
    assert found["known_issues"] == {
        "works": {
            "1.0": [
                {
                    "id": "WK-2",
                    "title": "A fault",
                    "url": "/defects/WK-2/",
                    "workaround": "Wait.",
                    "fixed_in": ["1.1"],
                }
            ]
        }
    }


def test_who_is_told_of_a_late_answer_is_data_with_a_rule_for_those_who_say_nothing(
    made: Callable[..., dict[str, Any]], small: Callable[..., Path]
) -> None:
    text = (small() / "policy/support.md").read_text()
    assert made()["policy"]["escalation"] == {
        "percent": 75,
        "to": {
            "client_manager": "client_services_manager",
            "client_services": "client_services_manager",
            "client_services_manager": "programming",
            "programming": "client_services_manager",
        },
    }
    own = text.replace(
        "\nmailboxes:", "\nescalation: {percent: 50, to: {programming: client_services}}\nmailboxes:"
    )
    assert made({"policy/support.md": own})["policy"]["escalation"] == {
        "percent": 50,
        "to": {"programming": "client_services"},
    }
