"""The smallest sound content, for tests that change one thing in it."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "index.md": """---
title: Support
summary: How to get help.
vendor: {name: Example Systems, url: "https://www.example.com/", address: 1 Sample Street, phone: 555-0100}
tasks:
  - {title: Get help, text: Send a ticket., url: /support/ticket/}
---

Welcome.
""",
    "policy/support.md": """---
title: Support policy
rules:
  - since: 1990-01-01
    prior_version_support: 12 months
    complimentary: {site: 1 year, seat: 90 days}
    renewal: 1 year
hours: {time_zone: America/Denver, days: [Mon, Tue, Wed, Thu, Fri], open: "08:00", close: "17:00"}
first_response: {P1: 1 hour, P2: 4 hours, P3: 1 day, P4: 2 days}
mailboxes: {client_services: a@b.example, client_services_manager: b@b.example, programming: c@b.example}
---

Prior versions are supported for {{ rules.prior_version_support }}.
""",
    "releases/works/index.md": "---\nname: Works\nsummary: A product.\n---\n",
    "releases/works/1.0.md": """---
version: 1.0
released: 2024-01-31
kind: version
summary: The first.
---

## New

- WK-1: Everything.
""",
    "releases/works/1.1.md": """---
version: 1.1
released: 2024-05-01
kind: update
of: 1.0
summary: An update.
---

## Fixed

- WK-2: A fault that
  took two lines to tell.
""",
    "releases/works/2.0.md": """---
version: 2.0
released: 2025-02-28
kind: version
summary: The second.
---

## New

- See [the first](1.0.md).
""",
    "newsletter/spring.md": """---
title: Spring
date: 2025-03-01
summary: What is new.
---

Read about [2.0](../releases/works/2.0.md) and **more**.
""",
    "help/start.md": "---\ntitle: Start\nsummary: Begin here.\n---\n\n## First\n\nDo this.\n",
}


def write(folder: Path, changes: dict[str, str | None] | None = None) -> Path:
    """Write the small content with some files put in, or taken out where the text is None."""
    for path, text in {**FILES, **(changes or {})}.items():
        if text is not None:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
    return folder
