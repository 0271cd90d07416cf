"""What the catalog knows of a version that a ticket names: how long it is supported, what is open in it,
what is fixed."""

from __future__ import annotations

from datetime import date

from chalicelib.agreements import Agreement
from chalicelib.catalog import Catalog
from chalicelib.entitlement import entitlement
from chalicelib.hours import day_text


def known(
    catalog: Catalog, product: str, version: str, agreement: Agreement | None, today: date
) -> dict[str, object] | None:
    """None when the version is not known. `fixed_in[].covered` is None without an agreement of one's own."""
    release = catalog.release(product, version)
    if release is None:
        return None
    if release.support_ends:
        verb = "was" if release.support_ends < today else "is"
        until = f"{version} {verb} supported until {day_text(release.support_ends)}."
    else:
        until = f"{version} is supported until {release.ends_after_next} after the next version is released."
    issues = catalog.known_issues.get((product, version), ())
    fixed: dict[str, list[str]] = {}
    for issue in issues:
        for other in issue.fixed_in:
            fixed.setdefault(other, []).append(issue.id)
    fixed_in = []
    for other, ids in fixed.items():
        found = catalog.release(product, other)
        if found is None or found.released > today:
            continue
        decision = entitlement(agreement, catalog.rules, found, today) if agreement else None
        fixed_in.append(
            {
                "version": other,
                "url": found.url,
                "fixes": ids,
                "covered": decision.entitled if decision else None,
            }
        )
    return {
        "product": product,
        "version": version,
        "url": release.url,
        "supported_until": release.support_ends.isoformat() if release.support_ends else None,
        "supported_until_text": until,
        "known_issues": [{"id": issue.id, "title": issue.title, "url": issue.url} for issue in issues],
        "fixed_in": fixed_in,
        "because": list(release.because),
    }
