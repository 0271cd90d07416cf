"""What the commands of `desk` share: the desk they work on, and how values are shown on a terminal.

Text of visitors is made harmless before a terminal sees it.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import click

from chalicelib.hours import moment_text
from chalicelib.ports import Act
from chalicelib.wiring import Desk
from chalicelib.wiring import desk as wired

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
day_type = click.DateTime(["%Y-%m-%d"])


@dataclass(frozen=True)
class Wired:
    """Makes the desk when a command needs it; `--help` must work with any settings."""

    environ: Mapping[str, str]
    make: Callable[[Mapping[str, str]], Desk] = wired

    def desk(self, **more: str) -> Desk:
        """The desk of this environment, with `more` settings where it says nothing. Raises SettingTrouble."""
        return self.make({**more, **self.environ})

    def act(self, desk: Desk, what: str, about: str, detail: str = "") -> Act:
        """What is done now, by the member of staff that DESK_USER names, or who is logged in."""
        return desk.act(self.environ.get("DESK_USER") or getpass.getuser(), what, about, detail)


def today(desk: Desk) -> date:
    """The day at the vendor's. Raises NotAvailable without a catalog."""
    return desk.clock().astimezone(desk.catalog().hours.zone).date()


def moment(desk: Desk, at: datetime | None) -> str:
    """An instant in words, in the vendor's zone where that is known; "" for None."""
    if at is None:
        return ""
    catalog = desk.catalog_or_none()
    return moment_text(at, catalog.hours) if catalog else at.isoformat(timespec="minutes")


def plain(value: object) -> str:
    """A value for a cell of a table."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, value))
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def print_json(value: object) -> None:
    """Plain JSON values, indented, on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
