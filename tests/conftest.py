"""Every test starts in a clean world: no environment of ours, no settings of the machine's git."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

# No test is timed: a busy machine is not a fault. Every run has all examples of a law; only `make check` asks
# for `--hypothesis-profile=quick`, which caps those too that a test sets for itself.
hypothesis.settings.register_profile("full", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=10)
hypothesis.settings.load_profile("full")
expect.set_options(timeout=30_000)  # milliseconds, as Playwright gives to all but what is expected

UNMARKED = 3  # seconds that a test may take without the mark `slow` before a run says so


@pytest.fixture(autouse=True)
def clean_world(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(("SUPPORT_", "GIT_", "AWS_", "BINDERY_")) or name == "SOURCE_DATE_EPOCH":
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    yield


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, for the tests of a module."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--hypothesis-profile") == "quick":
        _cap_examples(items)
    if shutil.which("chromium") or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no chromium on this machine: apt-get install chromium"))


def _cap_examples(items: list[pytest.Item]) -> None:
    most = hypothesis.settings.get_profile("quick").max_examples
    for test in {item.obj for item in items if isinstance(item, pytest.Function)}:
        if hypothesis.is_hypothesis_test(test):
            # Where hypothesis keeps what `@settings` said; it has no public door.
            said = test._hypothesis_internal_use_settings
            test._hypothesis_internal_use_settings = hypothesis.settings(
                said, max_examples=min(most, said.max_examples)
            )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `-n`, a worker takes a file at a time, for its tests share what was built; the judges, who
    share a whole site, go together."""
    from xdist.scheduler import LoadScopeScheduling

    class ByWorld(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "tests/judges" if file.startswith("tests/judges/") else file

    return ByWorld(config, log)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the tests that `make check` should not wait for. A busy machine has more time; nothing fails."""
    most = UNMARKED * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    took: dict[str, float] = {}
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        if report.when == "call" and not {"slow", "browser"} & set(report.keywords):
            took[report.nodeid] = report.duration
    long = sorted((name for name in took if took[name] > most), key=lambda name: -took[name])
    if long:
        terminalreporter.section(f"not marked slow, and took more than {most:.0f} seconds")
        for name in long:
            terminalreporter.line(f"{took[name]:.1f} s {name}")
