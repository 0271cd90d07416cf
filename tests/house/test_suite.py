"""How the tests are run: `make check` in seconds, continuous integration without leaving anything out."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

HOUSE = Path(__file__).parents[2]
QUICK = "--hypothesis-profile=quick"


def runs_of_pytest(target: str) -> list[list[str]]:
    """The words of each command of a make target that runs pytest."""
    asked = ["make", "--dry-run", "--always-make", target]
    said = subprocess.run(asked, cwd=HOUSE, capture_output=True, text=True, check=True).stdout
    return [shlex.split(line) for line in said.splitlines() if "bin/pytest" in line]


def test_continuous_integration_runs_every_test_with_every_example() -> None:
    assert re.findall(r"^[^#\n]*\b(?:make|pytest)\b.*$", (HOUSE / ".ci/run").read_text(), re.MULTILINE) == [
        "make test"
    ]
    assert runs_of_pytest("test") == [[".venv/bin/pytest", "-n", "auto", "--maxprocesses=8"]]


def test_the_quick_checks_leave_out_what_is_marked_and_try_laws_a_few_times() -> None:
    (words,) = runs_of_pytest("check")
    assert words[words.index("-m") + 1] == "not slow and not browser"
    assert QUICK in words


def test_a_law_has_a_hundred_examples_unless_the_quick_profile_is_asked_for(
    pytestconfig: pytest.Config,
) -> None:
    tried = []

    @settings(database=None)
    @given(st.integers())
    def law(number: int) -> None:
        tried.append(number)

    law()
    quick = pytestconfig.getoption("--hypothesis-profile") == "quick"
    assert len(tried) == (10 if quick else 100)


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "tried"), [([], 60), ([QUICK], 10)])
def test_the_quick_profile_caps_what_a_law_sets_for_itself(asked: list[str], tried: int) -> None:
    law = "tests/bindery/test_timelines.py::test_everything_lies_within_the_drawing"
    command = [sys.executable, "-m", "pytest", "--hypothesis-show-statistics", *asked, law]
    said = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=True).stdout
    assert f"Stopped because settings.max_examples={tried}\n" in said
