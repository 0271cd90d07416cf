"""The command line: what it prints, and that what it begins is sound."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from bindery import binding
from bindery.cli import main
from bindery.source import Problems

ROOT = Path(__file__).resolve().parents[2]
SITE = str(ROOT / "site")
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache stands in the working folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def run(*words: str) -> str:
    result = CliRunner().invoke(main, [*words])
    assert result.exit_code == 0, result.output
    return result.output


def fails(*words: str) -> str:
    result = CliRunner().invoke(main, [*words])
    assert result.exit_code != 0
    return result.stderr


def test_explain_says_until_when_and_why(small: Write) -> None:
    assert run("explain", "works", "1.1", "--content", str(small())) == (
        "Works 1.1, released 2024-05-01, is supported until 2026-02-28, because\n"
        "  - an update ends with its version, 1.0 (releases/works/1.1.md:5)\n"
        "  - Works 2.0, the next version of its line, was released on 2025-02-28 (releases/works/2.0.md:3)\n"
        "  - prior versions are supported for 12 months after that (policy/support.md:4)\n"
        "It contains 1.1, 1.0.\n"
    )


def test_explain_answers_as_json_with_the_same_facts(small: Write) -> None:
    told = json.loads(run("explain", "works", "2.0", "--json", "--content", str(small())))
    assert told["support_ends"] is None
    assert told["ends_after_next"] == "12 months"
    assert told["contains"] == ["2.0", "1.1", "1.0"]


def test_explain_offers_what_there_is(small: Write) -> None:
    content = str(small())
    assert fails("explain", "works", "2.00", "--content", content) == (
        "Error: there must be a release of works such as 2.0, 1.0, not '2.00'\n"
    )
    assert fails("explain", "work", "2.0", "--content", content) == (
        "Error: there must be a product such as works, not 'work'\n"
    )


def test_due_prints_the_next_instant(small: Write) -> None:
    content = str(
        small(
            {
                "help/a.md": "---\ntitle: A\npublish_at: 2027-02-01T08:00:00-07:00\n---\n",
                "help/b.md": "---\ntitle: B\npublish_at: 2027-01-01T08:00:00-07:00\n---\n",
                "help/c.md": "---\ntitle: C\npublish_at: 2026-12-31T08:00:00-07:00\ndraft: true\n---\n",
            }
        )
    )
    assert run("due", "--content", content, "--now", "2026-11-23") == "2027-01-01T08:00:00-07:00\n"
    assert run("due", "--content", content, "--now", "2028-01-01") == "Nothing is under embargo.\n"


RULE_TO_COME = """  - since: 2027-01-01
    prior_version_support: 24 months
    complimentary: {site: 1 year, seat: 90 days}
    renewal: 1 year
"""


def ruled(content: Path) -> str:
    """The policy of the small content with the rule to come, written there."""
    path = content / "policy/support.md"
    text = path.read_text("utf-8").replace("hours:", f"{RULE_TO_COME}hours:", 1)
    path.write_text(text, "utf-8")
    return text


def test_a_rule_to_come_is_due_on_its_day_and_sentences_follow_it_from_then_on(
    small: Write, tmp_path: Path
) -> None:
    content = small()
    ruled(content)
    assert run("due", "--content", str(content), "--now", "2026-12-01") == "2027-01-01T00:00:00-07:00\n"
    for day, told in (("2026-12-31T23:59:59-07:00", "12 months"), ("2027-01-01T00:00:00-07:00", "24 months")):
        library = binding.check(content, now=datetime.fromisoformat(day), cache=tmp_path / "cache")
        assert library.values["rules.prior_version_support"] == told


def test_a_value_that_a_rule_to_come_does_not_have_is_a_problem_today(small: Write) -> None:
    content = small({"help/a.md": "---\ntitle: A\n---\n\n{{ rules.tiers.security }}\n"})
    tier = "    tiers: [{name: security, for: 12 months}]\n    complimentary"
    (content / "policy/support.md").write_text(ruled(content).replace("    complimentary", tier, 1), "utf-8")
    with pytest.raises(Problems) as found:
        binding.check(content, now=datetime(2026, 11, 23, tzinfo=UTC), cache=None)
    assert [str(problem).removeprefix(f"{content}/") for problem in found.value.problems] == [
        "help/a.md:5: '{{ rules.tiers.security }}' must be a value of every rule to come, and the rule of "
        "2027-01-01 (policy/support.md:9) has none"
    ]


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (("release", "works", "3.0"), "releases/works/3.0.md"),
        (("release", "works", "2.1", "--of", "2.0"), "releases/works/2.1.md"),
        (("issue", 'Winter: "cold" 2026'), "newsletter/winter-cold-2026.md"),
        (("paper", "Valves"), "papers/valves.md"),
        (("event", "User day", "--name", "day-2027"), "events/day-2027.md"),
        (("page", "Printing a map"), "help/printing-a-map.md"),
        (
            ("defect", "WK-77", "Maps: do not print", "--product", "works", "--found-in", "2.0"),
            "defects/WK-77.md",
        ),
    ],
)
def test_what_new_begins_passes_the_check(small: Write, words: tuple[str, ...], path: str) -> None:
    content = small()
    run("new", *words, "--content", str(content), "--site", SITE)
    assert "draft: true" in (content / path).read_text()
    run("check", "--content", str(content))
    (content / path).write_text((content / path).read_text().replace("draft: true\n", ""))
    run("check", "--content", str(content))
    before = (content / path).read_text()
    assert "is there already" in fails("new", *words, "--content", str(content), "--site", SITE)
    assert (content / path).read_text() == before


def test_new_refuses_what_could_not_be_published(small: Write) -> None:
    content = str(small())
    assert fails("new", "release", "wrks", "1", "--content", content, "--site", SITE) == (
        "Error: the product must be one of works, not 'wrks'\n"
    )
    assert fails("new", "release", "works", "../1", "--content", content, "--site", SITE) == (
        "Error: the version must be such as 23.10, not '../1'\n"
    )


def test_every_command_says_what_it_is_for() -> None:
    for words in ([], *([name] for name in main.commands)):
        output = run(*words, "--help")
        assert "Usage:" in output
        assert len(output.splitlines()) > 4


def test_an_instant_that_is_none_is_refused(small: Write) -> None:
    assert "must be an instant such as 2026-11-23T08:00:00-07:00, not 'soon'" in fails(
        "build", "--now", "soon", "--content", str(small())
    )
