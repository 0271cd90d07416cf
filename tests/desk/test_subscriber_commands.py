"""`desk subscribers` and `desk suppressions`: promises 16 and 24, as staff use them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

TOPICS = "newsletter, security, life-cycle, releases, releases/cityworks, releases/storeroom"


@pytest.fixture
def table(tmp_path: Path) -> Any:
    def write(text: str) -> str:
        path = tmp_path / "s.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_promise_24_an_import_tells_every_problem_with_its_line_and_keeps_nothing(
    run: Any, world: Any, table: Any
) -> None:
    path = table(
        "email,topics,state,since\n"
        "ann@example.org,newsletter,confirmed,\n"
        "nobody,newsletr,gone,soon\n"
        "Ann@example.org,,,\n"
        "bo@example.org,newsletter\n"
    )
    result = run("subscribers", "import", path)
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"Error: {path}:3: 'email' must be an address such as name@example.com, not 'nobody'",
        f"{path}:3: 'since' must be a day such as 2026-03-01, or empty, not 'soon'",
        f"{path}:3: 'state' must be one of confirmed, left, not 'gone'",
        f"{path}:3: 'topics' must be of {TOPICS}, not 'newsletr'; did you mean 'newsletter'?",
        f"{path}:4: 'email' must be there once; Ann@example.org stands in line 2 too",
        f"{path}:5: the line must have 4 cells as the header has, not 2",
    ]
    assert world.desk.store.subscribers(["confirmed", "left"])[0] == ()
    result = run("subscribers", "import", table("mail,topics,topics\nann@example.org,,\n"))
    assert "'mail' is no column of subscribers; did you mean 'email'?" in result.output
    assert "'topics' is there twice" in result.output
    assert "the column 'email' is missing" in result.output


def test_promise_24_the_same_file_twice_changes_nothing_and_a_dry_run_never_does(
    run: Any, world: Any, table: Any
) -> None:
    path = table(
        "email,topics,source\nann@example.org,newsletter; security,conference 2026\nbo@example.org,,\n"
    )
    assert run("subscribers", "import", path, "--dry-run").output == (
        "2 added, 0 changed, 0 unchanged (dry run: nothing was changed).\n"
    )
    assert world.desk.store.subscriber("ann@example.org") is None
    assert run("subscribers", "import", path).output == "2 added, 0 changed, 0 unchanged.\n"
    held = world.desk.store.subscriber("ann@example.org")
    assert (held.topics, held.source) == (("newsletter", "security"), "conference 2026")
    world.pass_(days=1)
    assert run("subscribers", "import", path).output == "0 added, 0 changed, 2 unchanged.\n"
    assert world.desk.store.subscriber("ann@example.org") == held
    assert [act.what for act in world.desk.store.acts()[0]] == ["import subscribers"]


def test_promise_16_an_import_brings_back_nobody_who_left_or_whose_mail_came_back(
    run: Any, world: Any, table: Any
) -> None:
    run("subscribers", "import", table("email\nann@example.org\nbo@example.org\ncy@example.org\n"))
    run("subscribers", "leave", "ANN@example.org")
    run("suppressions", "add", "bo@example.org", "--because", "asked on the phone")
    world.desk.subscriptions.choose(
        world.desk.subscriptions.of("cy@example.org").leave_url.rsplit("/", 1)[1], ["security"]
    )
    result = run("subscribers", "import", table("email\nAnn@example.org\nBo@example.org\ncy@example.org\n"))
    assert result.output == (
        "0 added, 0 changed, 3 unchanged.\n"
        "Of the unchanged, 3 were left as they are for a reason:\n"
        "  Ann@example.org: has left\n"
        "  Bo@example.org: suppressed: staff\n"
        "  cy@example.org: chose other topics\n"
    )
    assert world.desk.store.subscriber("ann@example.org").state == "left"


def test_an_address_that_left_before_it_came_is_not_brought_in(run: Any, world: Any, table: Any) -> None:
    assert run("subscribers", "leave", "new@example.org").output == "new@example.org gets nothing any more.\n"
    run("subscribers", "import", table("email\nnew@example.org\n"))
    assert world.desk.store.subscriber("new@example.org").state == "left"


def test_an_export_imports_again_and_holds_no_live_formula(
    run: Any, world: Any, table: Any, tmp_path: Path
) -> None:
    text = "email,topics,state,since,source\n"
    text += "'=cmd@example.org,newsletter,confirmed,2026-03-01,'=1+1\n"
    text += "ann@example.org,newsletter; releases/cityworks,confirmed,2026-03-01,fair\n"
    text += "bo@example.org,,left,,\n"
    run("subscribers", "import", table(text))
    out = tmp_path / "out.csv"
    assert run("subscribers", "export", str(out)).output == f"3 subscribers written to {out}.\n"
    assert "is there already; --force writes over it." in run("subscribers", "export", str(out)).output
    rows = list(csv.reader(out.read_text(encoding="utf-8").splitlines()))
    assert [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell] == []
    assert rows[1] == ["'=cmd@example.org", "newsletter", "confirmed", "2026-03-01T00:00:00+00:00", "'=1+1"]
    assert run("subscribers", "import", str(out)).output == "0 added, 0 changed, 3 unchanged.\n"
    held = world.desk.store.subscribers(["confirmed", "left"])[0]
    for one in held:
        world.desk.subscriptions.forget(one.email)
    assert run("subscribers", "import", str(out)).output == "3 added, 0 changed, 0 unchanged.\n"
    again = run("subscribers", "export", "-").output
    assert again == out.read_text(encoding="utf-8")


def test_subscribers_are_listed_by_page_shown_and_forgotten(run: Any, world: Any, table: Any) -> None:
    run("subscribers", "import", table("email\n" + "".join(f"s{n}@example.org\n" for n in range(5))))
    page = json.loads(run("subscribers", "list", "--limit", "2", "--json").stdout)
    assert [one["email"] for one in page["subscribers"]] == ["s0@example.org", "s1@example.org"]
    assert page["next"] == "s1@example.org"
    rest = run("subscribers", "list", "--after", page["next"])
    assert [line.split()[0] for line in rest.stdout.splitlines()[1:]] == [
        f"s{n}@example.org" for n in (2, 3, 4)
    ]
    assert json.loads(run("subscribers", "show", "S3@example.org", "--json").stdout)["state"] == "confirmed"
    result = run("subscribers", "forget", "s3@example.org", given="n\n")
    assert result.exit_code == 1
    assert run("subscribers", "forget", "s3@example.org", "--yes").exit_code == 0
    assert run("subscribers", "show", "s3@example.org").output == (
        "Error: Nothing is kept of s3@example.org.\n"
    )
    acts = [(act.what, act.about) for act in world.desk.store.acts()[0]]
    assert acts == [("forget subscriber", "an address"), ("import subscribers", "subscribers")]


def test_suppressions_are_added_listed_and_removed(run: Any, world: Any) -> None:
    assert run("suppressions", "list").output == "No address is suppressed.\n"
    assert run("suppressions", "add", "nobody").exit_code == 1
    run("suppressions", "add", "ann@example.org", "--because", "asked")
    facts = json.loads(run("suppressions", "list", "--json").stdout)["suppressions"]
    assert [(one["email"], one["reason"], one["detail"]) for one in facts] == [
        ("ann@example.org", "staff", "asked")
    ]
    assert world.desk.store.is_suppressed("ANN@example.org")
    assert run("suppressions", "remove", "Ann@example.org").exit_code == 0
    assert run("suppressions", "remove", "Ann@example.org").exit_code == 1
    assert [act.what for act in world.desk.store.acts()[0]] == ["lift suppression", "suppress"]
