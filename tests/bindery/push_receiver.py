"""What the hooks of a test's repository call: the real hooks' work with a small build that can be read.

A page `content/x.md` becomes `public/x/index.html`; a file that says BROKEN is a problem; one that says
CRASH fails the build in the middle of its writing, and SLOW makes it take a while.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bindery import origin
from bindery.source import Problem, Problems


def build(
    content: Path,
    site: Path,
    out: Path,
    *,
    now: datetime,
    url: str | None,
    cache: Path | None,
    progress: object,
    ledger: object,
) -> None:
    pages = {path.relative_to(content): path.read_text() for path in sorted(content.rglob("*.md"))}
    found = [
        Problem(path=str(content / path), line=1, message="'title' must not be BROKEN")
        for path, text in pages.items()
        if "BROKEN" in text
    ]
    if found:
        raise Problems(tuple(found))
    style = (site / "style.css").read_text()
    asset = f"assets/style.{hashlib.sha256(style.encode()).hexdigest()[:8]}.css"
    word = pages[Path("index.md")]
    texts = {asset: style, "data/catalog.json": word}
    for path, text in pages.items():
        name = "index.html" if path.stem == "index" else f"{path.with_suffix('')}/index.html"
        texts[name] = f"{text}|/{asset}|{url}"
    public = out / "public"
    for path in list(public.rglob("*")):
        if path.is_file() and str(path.relative_to(public)) not in texts:
            path.unlink()
    for name, text in texts.items():
        to = public / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if not to.exists() or to.read_text() != text:
            to.write_text(text)
        if "CRASH" in text:
            raise RuntimeError("the build has a bug")
        if "SLOW" in text:
            time.sleep(0.05)


def main(arguments: list[str]) -> int:
    _, path, hook, *state = arguments
    here = origin.Origin(
        path=Path(path),
        build=build,
        environ=os.environ,
        clock=lambda: datetime.now(UTC),
        say=lambda text: print(text, flush=True),
    )
    return origin.receive(here, hook, state[0] if state else "", sys.stdin.read())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
