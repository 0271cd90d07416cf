"""A desk of its own for each test, on real SQLite and real files, with a clock that stands still until
moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chalicelib.agreements import Agreement
from chalicelib.ports import Act
from chalicelib.signing import fingerprint
from chalicelib.tickets import TicketDraft
from chalicelib.wiring import Desk, SettingTrouble, desk
from desk.cli import main
from desk.demo import write_files
from desk.terminal import Wired

CATALOG = Path(__file__).with_name("catalog.json")
KEY = "22222-33333-44444-55555-66666-77777"


@dataclass
class World:
    """The time is 2026-11-23, a Monday, 10:00 in Denver, until `pass_`."""

    folder: Path
    now: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 17, 0, tzinfo=UTC))
    key: str = KEY

    def __post_init__(self) -> None:
        self.environ = {
            "SUPPORT_URL": "https://support.example.com",
            "SUPPORT_VAR": str(self.folder / "var"),
            "SUPPORT_CATALOG": str(CATALOG),
        }
        self.opened: list[Desk] = []
        self.desk = self.started()

    def started(self, **settings: str) -> Desk:
        """A desk on the same state, as after a restart."""
        self.opened.append(desk({**self.environ, **settings}, lambda: self.now))
        return self.opened[-1]

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)

    @property
    def mails(self) -> list[bytes]:
        """What was handed over, in the order of names."""
        return [path.read_bytes() for path in sorted((self.folder / "var" / "mail").glob("*.eml"))]

    def release_files(self) -> None:
        write_files(self.desk.catalog(), self.desk.files)

    def keep(self, *agreements: Agreement) -> None:
        self.desk.store.import_agreements(agreements, dry_run=False)
        for one in agreements:
            self.desk.store.set_key(one.agreement, fingerprint(KEY), self.now)

    def act(self, what: str = "test", about: str = "test") -> Act:
        return self.desk.act("Bo", what, about)

    @staticmethod
    def agreement(**changes: object) -> Agreement:
        values: dict[str, object] = {
            "agreement": "US-1",
            "customer": "City of Example",
            "stage": "accepted",
            "client_manager": "",
            "product": "cityworks",
            "licence": "site",
            "seats": None,
            "starts": date(2026, 3, 1),
            "contacts": ("ann@example.org",),
        }
        return Agreement(**{**values, **changes})  # type: ignore[arg-type]

    @staticmethod
    def draft(**changes: str) -> TicketDraft:
        values = {
            "name": "Ann Example",
            "email": "ann@example.org",
            "kind": "question",
            "severity": "P3",
            "subject": "Where is the button",
            "description": "I cannot find it.",
        }
        return TicketDraft(**{**values, **changes})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    for one in made.opened:
        with suppress(SettingTrouble):
            one.store.close()


@pytest.fixture
def run(world: World) -> Callable[..., Result]:
    """The command `desk` on the test's own state, as staff call it; `given` is its standard input."""

    def invoke(*arguments: str, given: str | None = None) -> Result:
        wired = Wired(world.environ, lambda environ: world.started(**environ))
        return CliRunner().invoke(main, arguments, input=given, obj=wired)

    return invoke
