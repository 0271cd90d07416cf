"""Life cycle: until when, and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from bindery import support
from bindery.library import Library

Shelve = Callable[..., Library]


def test_a_version_is_supported_until_twelve_months_after_the_next(shelved: Shelve) -> None:
    library = shelved()
    answer = support.answers(library)[("works", "1.0")]
    assert answer.ends == date(2026, 2, 28)
    assert answer.because == (
        "Works 2.0, the next version of its line, was released on 2025-02-28 (releases/works/2.0.md:3)",
        "prior versions are supported for 12 months after that (policy/support.md:4)",
    )


def test_an_update_ends_with_its_version(shelved: Shelve) -> None:
    answers = support.answers(shelved())
    assert answers[("works", "1.1")].ends == answers[("works", "1.0")].ends
    assert answers[("works", "1.1")].because[0] == (
        "an update ends with its version, 1.0 (releases/works/1.1.md:5)"
    )


def test_without_a_next_version_the_end_is_open(shelved: Shelve) -> None:
    answer = support.answers(shelved())[("works", "2.0")]
    assert answer.ends is None
    assert answer.ends_after_next == "12 months"


def _with_rules(rules: str) -> str:
    return f"""---
title: Policy
rules:
{rules}
hours: {{time_zone: America/Denver, days: [Mon], open: "08:00", close: "17:00"}}
first_response: {{P1: 1 hour, P2: 4 hours, P3: 1 day, P4: 2 days}}
mailboxes: {{client_services: a@b.example, client_services_manager: a@b.example, programming: a@b.example}}
---
"""


def _rule(since: str, months: int, more: str = "") -> str:
    return (
        f"  - {{since: {since}, prior_version_support: {months} months, renewal: 1 year, {more}"
        "complimentary: {site: 1 year, seat: 90 days}}\n"
    )


def test_a_later_rule_never_shortens_a_promise_already_made(shelved: Shelve) -> None:
    rules = _rule("1990-01-01", 24) + _rule("2025-01-01", 6)
    answer = support.answers(shelved({"policy/support.md": _with_rules(rules)}))[("works", "1.0")]
    assert answer.ends == date(2027, 2, 28)
    assert answer.because[-1] == (
        "this rule was promised when it was released, and a later rule never shortens a promise"
    )


def test_a_later_rule_may_lengthen(shelved: Shelve) -> None:
    rules = _rule("1990-01-01", 6) + _rule("2025-01-01", 18)
    answer = support.answers(shelved({"policy/support.md": _with_rules(rules)}))[("works", "1.0")]
    assert answer.ends == date(2026, 8, 28)


def test_the_rule_of_a_product_goes_before_the_rule_of_all(shelved: Shelve) -> None:
    rules = _rule("2000-01-01", 12) + _rule("1990-01-01", 36, "product: works, ")
    answer = support.answers(shelved({"policy/support.md": _with_rules(rules)}))[("works", "1.0")]
    assert answer.ends == date(2028, 2, 28)


def test_an_override_gives_its_own_reason(shelved: Shelve) -> None:
    text = (
        "---\nversion: 1.0\nreleased: 2024-01-31\nkind: version\nsupport_ends: 2030-06-30\n"
        "support_ends_because: Promised to all customers.\n---\n"
    )
    answer = support.answers(shelved({"releases/works/1.0.md": text}))[("works", "1.0")]
    assert answer.ends == date(2030, 6, 30)
    assert answer.because == ("Promised to all customers. (releases/works/1.0.md:5)",)


def test_two_lines_do_not_end_each_other(shelved: Shelve) -> None:
    library = shelved(
        {
            "releases/works/1.0.md": (
                "---\nversion: 1.0\nreleased: 2024-01-31\nkind: version\nline: a\n---\n"
            ),
            "releases/works/2.0.md": (
                "---\nversion: 2.0\nreleased: 2025-02-28\nkind: version\nline: b\n---\n"
            ),
        }
    )
    answers = support.answers(library)
    assert {key: answer.ends for key, answer in answers.items()} == {
        ("works", "1.0"): None,
        ("works", "1.1"): None,
        ("works", "2.0"): None,
    }


def test_a_release_contains_all_it_builds_on(shelved: Shelve) -> None:
    library = shelved()
    release = library.release("works", "2.0")
    assert release is not None
    assert [one.version for one in library.contains(release)] == ["2.0", "1.1", "1.0"]


def test_a_back_port_after_the_next_version_is_not_contained_in_it(shelved: Shelve) -> None:
    late = "---\nversion: 1.2\nreleased: 2025-03-15\nkind: update\nof: 1.0\n---\n"
    library = shelved({"releases/works/1.2.md": late})
    release = library.release("works", "2.0")
    assert release is not None
    assert [one.version for one in library.contains(release)] == ["2.0", "1.1", "1.0"]


def test_a_known_issue_goes_on_until_a_release_fixes_it(shelved: Shelve) -> None:
    library = shelved(
        {
            "defects/WK-2.md": (
                "---\ntitle: A fault\nproduct: works\nfound_in: [1.0]\nworkaround: Wait.\n---\n"
            )
        }
    )
    known = support.known_issues(library)
    assert [issue.id for issue in known[("works", "1.0")]] == ["WK-2"]
    assert known[("works", "1.0")][0].fixed_in == ("1.1",)
    assert known[("works", "1.1")] == ()
    assert known[("works", "2.0")] == ()


@given(
    released=st.dates(date(2000, 1, 1), date(2050, 1, 1)),
    promised=st.integers(0, 60),
    later=st.integers(0, 60),
    next_released=st.dates(date(2000, 1, 1), date(2050, 1, 1)),
    changed=st.dates(date(1995, 1, 1), date(2055, 1, 1)),
)
def test_support_is_never_shorter_than_promised_at_release(
    released: date, promised: int, later: int, next_released: date, changed: date
) -> None:
    from bindery import source
    from bindery.kinds import policy

    text = _with_rules(_rule("1990-01-01", promised) + _rule(changed.isoformat(), later))
    problems: list[source.Problem] = []
    made = policy.parse(source.parse(text, "policy/support.md"), problems)
    assert made is not None and problems == []
    first, second = sorted((released, next_released))
    at_release = support.rule_at(made, "works", first)
    at_next = support.rule_at(made, "works", second)
    assert at_release is not None and at_next is not None
    chosen = support.longer(second, at_next, at_release)
    assert chosen is not None
    end = chosen.prior_version_support.after(second)
    assert end >= at_release.prior_version_support.after(second)
    assert end >= at_next.prior_version_support.after(second)
