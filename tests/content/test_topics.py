"""The form's topics are the desk's topics, in the same words."""

from __future__ import annotations

from pathlib import Path

from chalicelib.topics import FOR_ALL

FORM = Path(__file__).resolve().parents[2] / "site" / "templates" / "pages" / "subscribe-form.md"


def test_the_form_offers_what_the_desk_takes_in_the_same_words() -> None:
    lines = [line for line in FORM.read_text(encoding="utf-8").splitlines() if line.startswith("{{ f.box(")]
    assert lines[:-1] == [
        f'{{{{ f.box("topics", {number}, "{topic.name}", "{topic.label}", "{topic.meaning}") }}}}'
        for number, topic in enumerate(FOR_ALL, 1)
    ]
    assert lines[-1].startswith('{{ f.box("topics", loop.index + 4, "releases/" ~ slug, "Releases of "')
