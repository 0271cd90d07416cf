"""Who is told that an answer is nearly due: a rule of the policy, checked like the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from bindery.cli import main


@pytest.mark.parametrize(
    ("rule", "messages"),
    [
        (
            "{percent: 0, to: {programming: client_services}}",
            ["'escalation.percent' must be from 1 to 99 such as 75, not '0'"],
        ),
        (
            "{percent: soon, to: {programming: boss}}",
            [
                "'escalation.percent' must be a whole number such as 75, not 'soon'",
                "'escalation.to.programming' must be one of client_services, client_services_manager, "
                "programming such as client_services_manager, not 'boss'",
            ],
        ),
        (
            "{to: {programming: programming}}",
            [
                "'escalation.to.programming' must be another mailbox such as client_services_manager, not "
                "'programming', which has the ticket"
            ],
        ),
        (
            "{percent: 50}",
            [
                "'escalation.to' must be fields such as 'client_services: client_services_manager', not left "
                "out"
            ],
        ),
        (
            "{to: {progamming: client_services}, per_cent: 5}",
            [
                "'escalation.per_cent' must be a field of the escalation such as 'to', not an unknown one",
                "'escalation.to.progamming' must be a field of the escalation such as 'programming', not an "
                "unknown one",
            ],
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_told_with_its_line(
    small: Callable[..., Path], rule: str, messages: list[str]
) -> None:
    content = small()
    policy = content / "policy/support.md"
    text = policy.read_text().replace("\nmailboxes:", f"\nescalation: {rule}\nmailboxes:")
    line = text.splitlines().index(f"escalation: {rule}") + 1
    policy.write_text(text)
    result = CliRunner().invoke(main, ["check", "--content", str(content)])
    told = [one.partition(": ") for one in result.output.splitlines() if "escalation" in one]
    assert (result.exit_code, [message for _, _, message in told]) == (1, messages)
    # What was left out belongs to no line of its own.
    places = {f"{policy}:{1 if 'left out' in message else line}" for message in messages}
    assert {place for place, _, _ in told} == places
