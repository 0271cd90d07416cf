"""Notices to subscribers: a release came out, or a version's support is about to end. From the catalog alone.

What a notice is about has an id; a notice that was given, or that was there before the first one was, is
never given again. Each goes to whoever gets one of its topics, once. The words are files in `mails/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from string import Template

from chalicelib.bulk_mail import LEAVE_ADDRESS, LEAVE_URL, BulkMail
from chalicelib.catalog import Catalog, Product, Release
from chalicelib.hours import day_text
from chalicelib.topics import LIFE_CYCLE, RELEASES, SECURITY, of_product

DAYS_BEFORE_END = (180, 30)
"""An end of support is told so long before, each stage once; who comes late tells the nearest alone."""

_FOLDER = Path(__file__).parent / "mails"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What is to be told to whom. `covers`: ids that need no notice of their own any more once this one is
    given."""

    id: str
    topics: tuple[str, ...]
    template: str
    values: tuple[tuple[str, str], ...]
    covers: tuple[str, ...]

    @property
    def subject(self) -> str:
        return _template(self.template)[0].substitute(dict(self.values))


def every(catalog: Catalog, today: date) -> Iterator[Notice]:
    """All that there is to tell today, whether it was told or not: releases by day, then ends by day."""
    releases = [
        (release, product) for product in catalog.products.values() for release in product.releases.values()
    ]
    for release, product in sorted(releases, key=lambda one: (one[0].released, one[0].version)):
        if release.released <= today:
            yield _of_release(release, product)
    ends = [(one.support_ends, one, product) for one, product in releases if one.support_ends]
    for ends_on, release, product in sorted(ends, key=lambda one: (one[0], one[1].version)):
        left = (ends_on - today).days
        due = [stage for stage in DAYS_BEFORE_END if 0 <= left <= stage]
        if due and release.kind == "version":
            yield _of_end(release, product, ends_on, due)


def due(catalog: Catalog, known: AbstractSet[str], today: date) -> tuple[Notice, ...]:
    """What is to be told and was not."""
    return tuple(notice for notice in every(catalog, today) if notice.id not in known)


def mail(notice: Notice, catalog: Catalog, *, site: str, sender: str, host: str) -> BulkMail:
    """The mail of a notice."""
    head, body = _template(notice.template)
    values = {
        **dict(notice.values),
        "site": site,
        "vendor": catalog.vendor.name,
        "phone": catalog.vendor.phone,
        "leave_url": LEAVE_URL,
    }
    return BulkMail(
        mailing=f"notice {notice.id}",
        subject=head.substitute(values),
        sender=sender,
        sender_name=catalog.vendor.name,
        headers={
            "List-Id": f"<notices.{host}>",
            "List-Unsubscribe": f"<{LEAVE_URL}>, <mailto:{LEAVE_ADDRESS}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
        text=body.substitute(values).rstrip() + "\n",
        html="",
        host=host,
    )


def _of_release(release: Release, product: Product) -> Notice:
    told = f"release/{release.product}/{release.version}"
    return Notice(
        id=told,
        topics=(RELEASES, of_product(release.product), *((SECURITY,) if release.security else ())),
        template="notice_security" if release.security else "notice_release",
        values=(
            ("product", product.name),
            ("version", release.version),
            ("released", day_text(release.released)),
            ("weaknesses", ", ".join(release.security)),
            ("url", release.url),
        ),
        covers=(told,),
    )


def _of_end(release: Release, product: Product, ends: date, stages: list[int]) -> Notice:
    def told(stage: int) -> str:
        return f"end/{release.product}/{release.version}/{ends.isoformat()}/{stage}"

    return Notice(
        id=told(min(stages)),
        topics=(LIFE_CYCLE,),
        template="notice_end",
        values=(
            ("product", product.name),
            ("version", release.version),
            ("ends", day_text(ends)),
            ("url", release.url),
        ),
        covers=tuple(told(stage) for stage in stages),
    )


@cache
def _template(name: str) -> tuple[Template, Template]:
    head, _, body = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")
    return Template(head.removeprefix("Subject: ")), Template(body)
