"""What the command `defect` says: the life of a defect, and why. A part of `cli`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator

from bindery import lives, support
from bindery.library import Library
from bindery.lives import Life


class Unknown(Exception):
    """There is no such defect; the message names some that there are."""


def life_of(library: Library, defect_id: str) -> Life:
    """The life of the defect with that id; Unknown with ids that are near."""
    found = lives.lives(library, support.known_issues(library))
    if defect_id not in found:
        near = difflib.get_close_matches(defect_id, found, 3, 0.3) or list(found)[-3:]
        known = ", ".join(near) or "CW-1234, and none has a page yet"
        raise Unknown(f"there must be a page of the defect such as {known}, not '{defect_id}'")
    return found[defect_id]


def as_json(library: Library, life: Life) -> str:
    """The life as JSON; releases by version, days as year-month-day."""
    defect = life.defect
    told = {
        "id": defect.id,
        "title": defect.title,
        "product": defect.product,
        "state": life.state,
        "date": defect.date and defect.date.isoformat(),
        "found_in": list(defect.found_in),
        "affects": [release.version for release in life.affected],
        "lines": [
            {
                "product": line.product,
                "line": line.line or None,
                "affects": [release.version for release in line.affected],
                "fixed_in": [
                    {
                        "version": fix.release.version,
                        "released": fix.release.released.isoformat(),
                        "url": f"{library.address(fix.release.url)}#{fix.entry_id}",
                        "notes": fix.text,
                    }
                    for fix in line.fixes
                ],
                "first_fixed_in": [fix.release.version for fix in line.first],
                "not_in": [release.version for release in line.clear],
                "still_in": [release.version for release in line.still],
            }
            for line in life.lines
        ],
        "workaround": defect.workaround or None,
        "cve": list(defect.cve),
        "cwe": list(defect.cwe),
        "cvss": [
            {
                "version": score.version,
                "score": float(score.score),
                "severity": score.severity or None,
                "vector": score.vector or None,
            }
            for score in defect.cvss
        ],
        "duplicate_of": defect.duplicate_of or None,
        "duplicates": [same.id for same in library.duplicates.get(defect.id, ())],
        "url": library.address(defect.url),
        "because": list(lives.because(library, life)),
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def as_text(library: Library, life: Life) -> Iterator[str]:
    """The life, line by line."""
    defect = life.defect
    product = library.product(defect.product)
    name = product.name if product else defect.product
    yield f"{defect.id}, {name}: {defect.title}"
    if defect.duplicate_of:
        yield f"It is a duplicate: `bindery defect {defect.duplicate_of}` tells what becomes of it."
        return
    yield f"Its state is '{life.state}', because"
    for reason in lives.because(library, life):
        yield f"  - {reason}"
    for line in life.lines:
        other = library.product(line.product)
        where = f"{other.name if other else line.product}{f', line {line.line}' if line.line else ''}"
        has = ", ".join(release.version for release in line.affected) or "no release"
        first = ", ".join(fix.release.version for fix in line.first)
        without = ", ".join([first] * bool(first) + [release.version for release in line.clear])
        yield f"{where}: in {has}; {f'without it from {without}' if without else 'no release is without it'}."
    if defect.workaround:
        yield f"What helps until it is fixed: {defect.workaround}"
