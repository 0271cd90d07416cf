"""A build: the same bytes from the same input, and no more work than what changed asks for."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from bindery import binding, write
from bindery.binding import Built
from bindery.cli import main

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
Write = Callable[..., Path]


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Built]:
    def run(content: Path, out: str = "dist", **options: object) -> Built:
        settings: dict[str, object] = {"now": NOW, "jobs": 1, "cache": tmp_path / "cache", **options}
        return binding.build(content, SITE, tmp_path / out, **settings)  # type: ignore[arg-type]

    return run


def test_an_edit_of_a_releases_text_renders_that_page_and_the_guide_that_tells_it(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    build(content)
    notes = content / "releases/works/1.1.md"
    notes.write_text(notes.read_text() + "- WK-9: Another fault.\n")

    built = build(content)

    assert built.rendered == ("releases/works/1.1/", "upgrade/works/1.0/")
    build(content, "clean", cache=None)
    assert tree(tmp_path / "dist") == tree(tmp_path / "clean")


def test_an_edit_of_a_summary_renders_the_lists_that_show_it(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    build(content)
    notes = content / "releases/works/2.0.md"
    notes.write_text(notes.read_text().replace("summary: The second.", "summary: The best."))

    built = build(content)

    public = tmp_path / "dist/public"
    showing = {
        path.parent.relative_to(public).as_posix() + "/"
        for path in public.rglob("index.html")
        if "The best." in path.read_text()
    }
    assert {url or "./" for url in built.rendered} == showing
    assert "releases/works/2.0/" in built.rendered and "help/start/" not in built.rendered
    build(content, "clean", cache=None)
    assert tree(tmp_path / "dist") == tree(tmp_path / "clean")


def test_a_date_moves_every_output_together(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    build(content)
    notes = content / "releases/works/2.0.md"
    notes.write_text(notes.read_text().replace("2025-02-28", "2025-04-30"))

    build(content)

    public = tmp_path / "dist/public"
    catalog = json.loads((public / "data/catalog.json").read_text())
    assert catalog["products"]["works"]["releases"]["1.0"]["support_ends"] == "2026-04-30"
    assert 'datetime="2026-04-30"' in (public / "life-cycle/index.html").read_text()
    assert 'datetime="2026-04-30"' in (public / "releases/works/1.0/index.html").read_text()
    told = CliRunner().invoke(main, ["explain", "works", "1.0", "--content", str(content)])
    assert "is supported until 2026-04-30, because" in told.output
    assert "2025-04-30T00:00:00-06:00" in (public / "feeds/releases.atom").read_text()
    build(content, "clean", cache=None)
    assert tree(tmp_path / "dist") == tree(tmp_path / "clean")


@pytest.mark.parametrize("change", ["add", "remove", "rename", "retitle", "policy", "attach"])
def test_after_any_change_the_result_equals_a_clean_build(
    small: Write, build: Callable[..., Built], tmp_path: Path, change: str
) -> None:
    content = small({"help/pictures.md": "---\ntitle: Pictures\n---\n\nSee [start](start.md).\n"})
    build(content)
    if change == "add":
        (content / "releases/works/2.1.md").write_text(
            "---\nversion: 2.1\nreleased: 2026-02-01\nkind: update\nof: 2.0\n---\n"
        )
    elif change == "remove":
        (content / "newsletter/spring.md").unlink()
    elif change == "rename":
        (content / "help/start.md").rename(content / "help/begin.md")
        (content / "help/pictures.md").write_text("---\ntitle: Pictures\n---\n\nSee [start](begin.md).\n")
    elif change == "retitle":
        (content / "help/start.md").write_text("---\ntitle: Beginning\n---\n\nDo that.\n")
    elif change == "policy":
        policy = content / "policy/support.md"
        policy.write_text(policy.read_text().replace("12 months", "18 months"))
    else:
        (content / "help/picture.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')

    built = build(content)

    assert built.written or built.removed
    build(content, "clean", cache=None)
    assert tree(tmp_path / "dist") == tree(tmp_path / "clean")
    build(content, "warm")
    assert tree(tmp_path / "dist") == tree(tmp_path / "warm")


def test_when_nothing_changed_nothing_is_looked_into(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    past = time.time() - 60
    for path in [*content.rglob("*"), *SITE.rglob("*")]:
        if path.is_file() and path.is_relative_to(content):
            os.utime(path, (past, past))
    assert not build(content).nothing_changed
    assert build(content).nothing_changed
    (tmp_path / "dist/public/index.html").unlink()
    assert not build(content).nothing_changed
    assert (tmp_path / "dist/public/index.html").exists()


def _age(content: Path, seconds: float) -> None:
    """Give every file a time so long ago that it counts as settled."""
    past = time.time() - seconds
    for path in content.rglob("*.md"):
        os.utime(path, (past, past))


def test_an_edit_that_keeps_a_files_size_is_seen_by_its_time(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    _age(content, 60)
    build(content)
    assert build(content).nothing_changed
    page = content / "help/start.md"
    page.write_text(page.read_text().replace("Do this.", "Do that."))
    _age(content, 50)

    assert build(content).rendered == ("help/start/",)
    assert "Do that." in (tmp_path / "dist/public/help/start/index.html").read_text()


def test_a_draft_shows_in_no_output(small: Write, build: Callable[..., Built], tmp_path: Path) -> None:
    draft = "---\ntitle: Canary\ndate: 2026-01-01\ndraft: true\n---\n\nCanary.\n"
    build(small({"newsletter/canary.md": draft, "help/canary.md": draft.replace("date: 2026-01-01\n", "")}))
    made = tree(tmp_path / "dist")
    assert not any("canary" in path for path in made)
    assert not any(b"anary" in data for data in made.values())


def test_an_embargo_ends_without_any_change_of_a_file(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small(
        {"help/soon.md": "---\ntitle: Canary\npublish_at: 2026-12-01T08:00:00-07:00\n---\n\nCanary.\n"}
    )
    past = time.time() - 60
    for path in content.rglob("*.md"):
        os.utime(path, (past, past))
    build(content, now=datetime(2026, 12, 1, 14, 59, 59, tzinfo=UTC))
    assert not any(b"anary" in data for data in tree(tmp_path / "dist").values())

    built = build(content, now=datetime(2026, 12, 1, 15, 0, 0, tzinfo=UTC))

    assert "help/soon/" in built.rendered
    assert b"Canary" in tree(tmp_path / "dist")["public/help/soon/index.html"]


def test_on_the_day_of_a_rule_every_output_is_what_a_clean_build_makes(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    policy = content / "policy/support.md"
    text = policy.read_text()
    rule = text[text.index("  - since:") : text.index("hours:")]
    later = rule.replace("1990-01-01", "2026-12-01").replace("12 months", "18 months")
    policy.write_text(text.replace("hours:", f"{later}hours:", 1))
    _age(content, 60)
    before = datetime(2026, 11, 30, 12, tzinfo=UTC)
    build(content, now=before)
    assert build(content, now=before).nothing_changed
    after = datetime(2026, 12, 1, 12, tzinfo=UTC)

    build(content, now=after)

    build(content, "clean", cache=None, now=after)
    assert tree(tmp_path / "dist") == tree(tmp_path / "clean")
    assert b"18 months" in tree(tmp_path / "dist")["public/data/catalog.json"]
    assert b"18 months" in tree(tmp_path / "dist")["public/upgrade/works/2.0/index.html"]


def test_a_removed_page_leaves_no_file_and_no_empty_folder(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small({"help/gone.md": "---\ntitle: Gone\n---\n"})
    build(content)
    assert (tmp_path / "dist/public/help/gone/index.html").exists()
    (content / "help/gone.md").unlink()
    built = build(content)
    assert not (tmp_path / "dist/public/help/gone").exists()
    assert "public/help/gone/index.html" in built.removed


def test_an_old_address_leads_to_the_new_one(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small({"help/new.md": "---\ntitle: New & better\nredirect_from: [help/old/]\n---\n"})
    build(content)
    html = (tmp_path / "dist/public/help/old/index.html").read_text()
    assert '<a href="/help/new/">New &amp; better</a>' in html


def test_a_folder_of_somebody_else_is_left_alone(small: Write, tmp_path: Path) -> None:
    out = tmp_path / "home"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    result = CliRunner().invoke(
        main, ["build", "--content", str(small()), "--site", str(SITE), "--out", str(out)]
    )
    assert result.exit_code == 1
    assert f"{out} must be a folder that a build made, or an empty one, and is neither" in result.stderr
    assert tree(out) == {"thesis.txt": b"years of work"}


@pytest.mark.slow
def test_two_builds_in_other_places_are_the_same_bytes(tmp_path: Path) -> None:
    """Of the real content, in another time zone, locale, hash seed and number of processes."""
    environment = {"PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": "1795435200"}
    command = [
        sys.executable,
        "-m",
        "bindery",
        "build",
        "--content",
        str(ROOT / "content"),
        "--site",
        str(SITE),
    ]
    for out, more, jobs in (
        ("a", {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}, "1"),
        ("b", {"TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"}, "2"),
    ):
        folder = tmp_path / f"cwd-{out}"
        folder.mkdir()
        subprocess.run(
            [*command, "--out", str(tmp_path / out), "--jobs", jobs],
            check=True,
            env=environment | more,
            cwd=folder,
            capture_output=True,
        )
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert subprocess.run(["diff", "-r", tmp_path / "a", tmp_path / "b"]).returncode == 0


@pytest.mark.slow
def test_a_killed_build_is_made_good_by_the_next(small: Write, tmp_path: Path) -> None:
    content = small({f"help/page-{n}.md": f"---\ntitle: Page {n}\n---\n\nText.\n" for n in range(150)})
    out, cache = tmp_path / "dist", tmp_path / "cache"
    binding.build(content, SITE, out, now=NOW, jobs=1, cache=cache)
    for n in range(150):
        (content / f"help/page-{n}.md").write_text(f"---\ntitle: Sheet {n}\n---\n\nOther.\n")
    code = (
        "from pathlib import Path; from datetime import datetime, UTC; from bindery import binding;"
        f"binding.build(Path({str(content)!r}), Path({str(SITE)!r}), Path({str(out)!r}),"
        f" now=datetime(2026, 11, 23, 12, tzinfo=UTC), jobs=1, cache=Path({str(cache)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    while "Sheet" not in (out / "public/help/page-0/index.html").read_text() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (out / write.JOURNAL).exists()
    # The author takes the edit back: what the killed build wrote must not stay.
    for n in range(150):
        (content / f"help/page-{n}.md").write_text(f"---\ntitle: Page {n}\n---\n\nText.\n")

    binding.build(content, SITE, out, now=NOW, jobs=1, cache=cache)

    binding.build(content, SITE, tmp_path / "clean", now=NOW, jobs=1, cache=None)
    assert tree(out) == tree(tmp_path / "clean")


def test_a_lost_cache_costs_time_and_nothing_else(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    build(content)
    shutil.rmtree(tmp_path / "cache")
    built = build(content)
    assert built.rendered == () and built.written == () and built.removed == ()
    for path in (tmp_path / "cache").iterdir():
        if path.is_file():
            path.write_bytes(b"not a cache")
    assert build(content).rendered == ()


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (
            "templates/pages/release.md",
            "# {{ title }\n",
            "templates/pages/release.md:1: the template must be Jinja that can be read: unexpected '}'",
        ),
        (
            "overrides/main.html",
            '{% extends "base.html" %}\n{% block nonsense %}\n',
            "overrides/main.html:2: the template must be Jinja that can be read: Unexpected end of template.",
        ),
        ("mkdocs.yml", "site_name: [\n", "mkdocs.yml:2: the settings must be YAML: "),
        ("mkdocs.yml", None, "mkdocs.yml:1: the file must be there, it is part of the looks"),
        (
            "mkdocs.yml",
            "site_name: A\nsite_url: https://a.example/\ntheme: {name: none}\nmarkdown_extensions: []\n",
            "mkdocs.yml:1: the settings must be such that MkDocs takes them: ",
        ),
    ],
)
def test_broken_looks_are_told_by_file_and_nothing_is_written(
    small: Write, build: Callable[..., Built], tmp_path: Path, file: str, text: str | None, told: str
) -> None:
    content = small()
    build(content)
    before = tree(tmp_path / "dist")
    site = tmp_path / "site"
    shutil.copytree(SITE, site)
    (site / file).unlink()
    if text is not None:
        (site / file).write_text(text)

    with pytest.raises(binding.Problems) as caught:
        binding.build(content, site, tmp_path / "dist", now=NOW, jobs=1, cache=tmp_path / "cache")

    assert str(caught.value).startswith(f"{site}/{told}")
    assert tree(tmp_path / "dist") == before


def test_an_attachment_in_the_place_of_an_output_is_a_problem(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small({"robots.txt": "User-agent: *\n"})
    with pytest.raises(binding.Problems) as caught:
        build(content)
    assert str(caught.value) == (
        f"{content}/robots.txt:1: the file must have an address of its own, "
        "and the build makes one that is called so"
    )
    assert not (tmp_path / "dist").exists()


def test_a_clean_build_that_is_killed_leaves_nothing_to_be_trusted(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    build(content, search=True)
    # As far as a clean build has come when it has swept the folder and written the home page.
    begun = write.Writer(tmp_path / "dist", write.Manifest())
    begun.begin(["public/index.html"])
    begun.put("public/index.html", "<!doctype html>")
    assert write.load(tmp_path / "dist") == write.Manifest()

    build(content, search=True)

    build(content, "whole", search=True, cache=None)
    assert tree(tmp_path / "dist") == tree(tmp_path / "whole")


def test_a_clean_build_of_broken_content_leaves_what_is_there(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    build(content)
    before = tree(tmp_path / "dist")
    (content / "help/start.md").write_text("Broken.\n")
    with pytest.raises(binding.Problems):
        build(content, clean=True)
    assert tree(tmp_path / "dist") == before
    small()
    assert len(build(content, clean=True).rendered) > 20
    assert tree(tmp_path / "dist") == before


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_page_that_nests_too_deep_is_a_problem_and_the_next_build_is_whole(
    small: Write, build: Callable[..., Built], tmp_path: Path, jobs: int
) -> None:
    many = {f"help/page-{n}.md": f"---\ntitle: Page {n}\n---\n\nText.\n" for n in range(210)}
    content = small(many)
    deep = content / "help/deep.md"
    deep.write_text("---\ntitle: Deep\n---\n\n" + "".join("    " * n + "- x\n" for n in range(400)))
    with pytest.raises(binding.Problems) as caught:
        build(content, jobs=jobs)
    assert str(caught.value) == (
        f"{deep}:1: the page must not nest lists or quotes as deep as this, hundreds of levels"
    )
    deep.write_text("---\ntitle: Deep\n---\n\nFlat.\n")
    build(content, jobs=jobs)
    build(content, "clean", cache=None, jobs=jobs)
    assert tree(tmp_path / "dist") == tree(tmp_path / "clean")


def test_a_notice_is_told_on_home_and_support_and_to_every_page_without_making_it_again(
    small: Write, build: Callable[..., Built], tmp_path: Path
) -> None:
    content = small()
    build(content)
    public = tmp_path / "dist" / "public"
    assert json.loads((public / "data/notice.json").read_text()) == {"format": 1, "notice": ""}
    home = content / "index.md"
    home.write_text(home.read_text().replace("---\n", "---\nnotice: Phones are down.\n", 1))
    built = build(content)
    assert json.loads((public / "data/notice.json").read_text())["notice"] == "Phones are down."
    assert set(built.rendered) == {"", "support/"}
    for page in ("index.html", "support/index.html"):
        assert '<p class="notice" role="note">Phones are down.</p>' in (public / page).read_text()
