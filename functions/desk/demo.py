"""Agreements and files to try the desk with; never part of the public site.

Keys are drawn once and kept in `var/demo-agreements.txt` (mode 0600), so that they can be shown again.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from chalicelib.agreements import Agreement, Period
from chalicelib.catalog import Catalog
from chalicelib.ports import HERE, Files
from chalicelib.signing import agreement_key, fingerprint
from chalicelib.wiring import Desk

SAMPLE = (
    "SAMPLE FILE\nproduct: {product}\nversion: {version}\nname: {name}\n"
    "This stands in for a download of the demonstration site. It installs nothing.\n"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoAgreement:
    """One agreement to try, its key, and what it shows."""

    agreement: Agreement
    key: str
    shows: str


def agreements(product: str, today: date) -> tuple[tuple[Agreement, str], ...]:
    """Four agreements whose states are what their description says on `today`, and for months after."""
    lately = today - timedelta(days=90)
    return (
        (
            Agreement(
                agreement="DEMO-CURRENT",
                customer="Sample City (current)",
                stage="accepted",
                client_manager="",
                starts=date(2020, 3, 1),
                paid=(Period(first=date(2021, 3, 1), last=today + timedelta(days=200)),),
                contacts=("current@example.com",),
                product=product,
                licence="site",
                seats=None,
            ),
            "current: gets every release",
        ),
        (
            Agreement(
                agreement="DEMO-LAPSED",
                customer="Sample Utility (lapsed)",
                stage="accepted",
                client_manager="",
                starts=date(2023, 1, 1),
                contacts=("lapsed@example.com",),
                product=product,
                licence="site",
                seats=None,
            ),
            "lapsed on 2023-12-31: gets what was released in 2023",
        ),
        (
            Agreement(
                agreement="DEMO-NEW",
                customer="Sample County (in implementation)",
                stage="implementation",
                client_manager="client.manager@example.com",
                starts=lately,
                contacts=("new@example.com",),
                product=product,
                licence="site",
                seats=None,
            ),
            "in implementation: its tickets go to its Client Manager",
        ),
        (
            Agreement(
                agreement="DEMO-SEATS",
                customer="Sample Water District (25 seats)",
                stage="accepted",
                client_manager="",
                product=product,
                licence="seat",
                seats=25,
                starts=today - timedelta(days=30),
                contacts=("seats@example.com",),
            ),
            "bought by seat: complimentary for 90 days",
        ),
    )


def prepare(desk: Desk) -> tuple[DemoAgreement, ...]:
    """Make what is missing, change nothing that is there; all demo agreements with their keys.

    Raises NotAvailable (no catalog), NotStored.
    """
    catalog = desk.catalog()
    write_files(catalog, desk.files)
    now = desk.clock()
    product = "cityworks" if "cityworks" in catalog.products else min(catalog.products)
    wanted = agreements(product, now.astimezone(catalog.hours.zone).date())
    path = desk.settings.var / "demo-agreements.txt"
    keys = _kept_keys(path)
    keys |= {one.agreement: agreement_key() for one, _ in wanted if one.agreement not in keys}
    _keep_keys(path, keys)
    missing = [one for one, _ in wanted if desk.store.agreement(one.agreement) is None]
    desk.store.import_agreements(missing, dry_run=False)
    for one, _ in wanted:
        if desk.store.key_hash(one.agreement) != fingerprint(keys[one.agreement]):
            desk.store.set_key(one.agreement, fingerprint(keys[one.agreement]), now)
    held = [(desk.store.agreement(one.agreement) or one, shows) for one, shows in wanted]
    return tuple(DemoAgreement(agreement=one, key=keys[one.agreement], shows=shows) for one, shows in held)


def write_files(catalog: Catalog, files: Files) -> None:
    """The sample files of every release whose published size is that of its sample."""
    for product in catalog.products.values():
        for release in product.releases.values():
            for file in release.files:
                data = SAMPLE.format(product=product.slug, version=release.version, name=file.name).encode()
                path = f"releases/{product.slug}/{release.version}/{file.name}"
                sha256 = hashlib.sha256(data).hexdigest()
                if len(data) == file.size and files.state(path, size=len(data), sha256=sha256) != HERE:
                    files.put(path, io.BytesIO(data), size=len(data), sha256=sha256)


def _kept_keys(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    return dict(line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def _keep_keys(path: Path, keys: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.writelines(f"{agreement} {key}\n" for agreement, key in sorted(keys.items()))
    part.replace(path)
