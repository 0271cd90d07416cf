"""Upgrades: what is new on the way, what may not be skipped, and the laws of both."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from importlib import util
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bindery import binding, cli_upgrading, prose, render, support
from bindery.binding import Built
from bindery.cli import main
from bindery.library import Library
from bindery.outputs import pages
from bindery.outputs.pages import PagePlan
from bindery.prose import Entry
from bindery.upgrade import ENOUGH, Guide, Ways, between, key_of, onward, told

Shelve = Callable[..., Library]
ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
NOW = datetime(2040, 1, 1, tzinfo=UTC)
TODAY = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _release(version: str, day: str, more: str, body: str) -> str:
    return f"---\nversion: {version}\nreleased: {day}\n{more}summary: S.\n---\n\n{body}"


def _guide(library: Library, start: str, goal: str, product: str = "works") -> Guide:
    first, last = library.release(product, start), library.release(product, goal)
    assert first and last
    return between(Ways(library, product), first, last, support.known_issues(library))


def _keys(guide: Guide) -> set[str]:
    return {key_of(gain.release, gain.entry) for gain in guide.gains}


def _plans(library: Library) -> dict[str, PagePlan]:
    made = pages.plan(
        library,
        support.answers(library),
        support.known_issues(library),
        render.templates(SITE),
        html_of=lambda text: render.fragment(text, SITE),
    )
    return {plan.url: plan for plan in made}


def _data(plan: PagePlan) -> dict[str, object]:
    ((_, text),) = plan.beside
    answer = json.loads(text())
    assert isinstance(answer, dict)
    return answer


@pytest.fixture(scope="module")
def real() -> Library:
    return binding.check(ROOT / "content", now=TODAY)


def test_a_fix_that_both_lines_have_is_not_new_and_not_lost(real: Library) -> None:
    guide = _guide(real, "15.8.9", "23.10", "cityworks")
    shown = {gain.entry.id for gain in (*guide.gains, *guide.losses)}
    assert "CVE-2025-0994" not in shown
    assert [(gain.entry.id, gain.release.version) for gain in guide.had] == [
        ("CW-2290", "23.5"),
        ("CVE-2025-0994", "23.10"),
    ]
    assert next(gain.entry.id for gain in guide.gains) == "CW-2021"  # a breaking change
    assert guide.relation == "aside"


def test_the_fix_is_new_to_those_who_lack_it_on_either_line(real: Library) -> None:
    for start, goal in (("15.8", "15.8.9"), ("15.8", "23.10"), ("23", "23.10")):
        assert "CVE-2025-0994" in _keys(_guide(real, start, goal, "cityworks"))


def test_going_to_a_release_without_the_fix_says_that_it_is_missing(real: Library) -> None:
    lost = [gain.entry.id for gain in _guide(real, "15.8.9", "23.5", "cityworks").losses]
    assert "CVE-2025-0994" in lost


def test_a_required_stop_on_the_way_is_told_and_the_goal_is_none(shelved: Shelve) -> None:
    stop = "kind: version\nrequires_stop: true\n"
    library = shelved(
        {
            "releases/works/1.5.md": _release("1.5", "2024-08-01", stop, ""),
            "releases/works/3.0.md": _release("3.0", "2026-08-01", stop, ""),
        }
    )
    assert [one.version for one in _guide(library, "1.0", "3.0").stops] == ["1.5"]


def test_a_point_without_an_id_is_told_with_its_release_and_other_text_is_not() -> None:
    body = (
        "## New\n\nRead this.\nAnd this.\n\n- Plain\n  in `two` lines\n- CW-1: An entry\n  of two\n"
        "\n## Sources\n\n- No note\n\n## Upgrade notes\n\n- Shown with its section\n"
    )
    assert prose.unnumbered(prose.without_code(body), body, 10) == (
        Entry("", "New", "Plain in `two` lines", 15),
    )


def test_a_section_is_its_markdown_as_it_stands() -> None:
    body = (
        "Lead.\n\n## Requirements\n\n| A |\n|---|\n\n### More\n\n```\n## Code\n```\n\n## Fixed\n\n"
        "## Else\n\nText\n"
    )
    assert prose.sections(body) == {"Requirements": "| A |\n|---|\n\n### More\n\n```\n## Code\n```"}


def test_a_cve_of_the_front_matter_that_no_entry_names_is_told_as_a_security_fix(shelved: Shelve) -> None:
    fix = _release("1.2", "2024-06-01", "kind: update\nof: 1.0\nsecurity: [CVE-2024-1234]\n", "Text.\n")
    library = shelved({"releases/works/1.2.md": fix})
    answer = cli_upgrading.answer(library, "works", "1.1", "1.2")
    assert [(one["id"], one["text"], one["security"]) for one in answer["security"]] == [
        ("CVE-2024-1234", "S.", True)
    ]


def test_an_id_that_several_releases_tell_is_told_once_where_it_is_gravest(shelved: Shelve) -> None:
    library = shelved(
        {
            "releases/works/1.2.md": _release(
                "1.2", "2024-06-01", "kind: update\nof: 1.0\n", "## Changed\n\n- WK-7: Soft.\n"
            ),
            "releases/works/1.3.md": _release(
                "1.3", "2024-07-01", "kind: update\nof: 1.0\n", "## Breaking changes\n\n- WK-7: Hard.\n"
            ),
        }
    )
    answer = cli_upgrading.answer(library, "works", "1.1", "1.3")
    assert [(one["text"], one["release"]) for one in answer["entries"]] == [("Hard.", "1.3")]


WITH_ALL = {
    "releases/works/2.1.md": _release(
        "2.1",
        "2025-06-01",
        "kind: update\nof: 2.0\nsecurity: [CVE-2025-0001]\n",
        "## New\n\n- Without a number & `code`\n\n## Breaking changes\n\n- WK-4: **Gone**.\n\n"
        "## Security\n\n- CVE-2025-0001: Closed.\n\n## Fixed\n\n- WK-2: The same fix.\n\n"
        "## Known issues\n\n- WK-8: Slow.\n\n## Requirements\n\n- See [start](../../help/start.md)\n\n"
        "## Upgrade notes\n\nWait.\n",
    ),
    "releases/works/2.0.md": _release(
        "2.0",
        "2025-02-28",
        "kind: version\nrequires_stop: true\n",
        "## New\n\n- WK-3: See [the first](1.0.md).\n",
    ),
    "defects/WK-4.md": "---\ntitle: Gone\nproduct: works\nfound_in: [1.0]\n---\n",
}


def test_the_file_has_the_shape_that_is_promised(shelved: Shelve) -> None:
    made = _plans(shelved(WITH_ALL))["upgrade/works/1.1/"]
    answer = _data(made)
    assert made.beside[0][0] == "data/upgrade/works/1.1.json"

    def entry(id_: str | None, section: str, text: str, release: str, defect: str | None) -> object:
        return {
            "id": id_,
            "section": section,
            "text": text,
            "release": release,
            "url": f"/releases/works/{release}/",
            "defect": defect,
            "security": section == "Security",
            "breaking": section == "Breaking changes",
        }

    breaking = entry("WK-4", "Breaking changes", "**Gone**.", "2.1", "/defects/WK-4/")
    security = entry("CVE-2025-0001", "Security", "Closed.", "2.1", None)
    life = answer.pop("life_cycle")
    assert answer == {
        "format": 1,
        "product": "works",
        "from": {
            "version": "1.1",
            "name": "Works 1.1",
            "kind": "update",
            "released": "2024-05-01",
            "url": "/releases/works/1.1/",
        },
        "to": {
            "version": "2.1",
            "name": "Works 2.1",
            "kind": "update",
            "released": "2025-06-01",
            "url": "/releases/works/2.1/",
        },
        "relation": "forward",
        "steps": [
            {
                "version": "2.0",
                "kind": "version",
                "released": "2025-02-28",
                "url": "/releases/works/2.0/",
                "required_stop": True,
            },
            {
                "version": "2.1",
                "kind": "update",
                "released": "2025-06-01",
                "url": "/releases/works/2.1/",
                "required_stop": False,
            },
        ],
        "required_stops": ["2.0"],
        "breaking_changes": [breaking],
        "security": [security],
        "entries": [
            breaking,
            security,
            entry("WK-3", "New", "See [the first](/releases/works/1.0/).", "2.0", None),
            entry(None, "New", "Without a number & `code`", "2.1", None),
        ],
        "already_contained": [{"id": "WK-2", "release": "2.1"}],
        "missing_fixes": [],
        "requirements": [
            {"release": "2.1", "url": "/releases/works/2.1/", "text": "- See [start](/help/start/)"}
        ],
        "upgrade_notes": [{"release": "2.1", "url": "/releases/works/2.1/", "text": "Wait."}],
        "known_issues": [
            {
                "id": "WK-4",
                "title": "Gone",
                "url": "/defects/WK-4/",
                "workaround": None,
                "also_in_from": True,
            },
            {
                "id": "WK-8",
                "title": "Slow.",
                "url": "/releases/works/2.1/#WK-8",
                "workaround": None,
                "also_in_from": False,
            },
        ],
        "update_of_same_version": None,
        "ahead": None,
        "next": None,
    }
    assert isinstance(life, dict) and (life["from"]["support_ends"], life["to"]["support_ends"]) == (
        "2026-02-28",
        None,
    )
    assert "(releases/works/1.1.md:5)" in life["from"]["because"][0]


def test_page_file_and_command_tell_the_same(small: Callable[..., Path]) -> None:
    content = small(WITH_ALL)
    plan = _plans(binding.check(content, now=NOW))["upgrade/works/1.1/"]
    file = _data(plan)
    asked = ["upgrade", "works", "1.1", "2.1", "--json", "--content", str(content)]
    assert json.loads(CliRunner().invoke(main, asked).output) == file
    _, html = render.Press(SITE, "https://support.example/").page(plan.path, plan.url, plan.text())
    page = html.decode()
    for entry in file["entries"]:  # type: ignore[attr-defined]
        text = render.fragment(entry["text"], SITE).removeprefix("<p>").removesuffix("</p>")
        assert page.count(text) == 1, text
        assert f'href="{entry["url"]}"' in page
    for number, kind in ((1, "stop"), (1, "breaking"), (1, "security"), (4, "all")):
        assert f'<b data-count="{kind}">{number}</b>' in page
    assert "In your release already: WK-2." in page
    assert '<a class="entry" href="/releases/works/2.1/#WK-8">WK-8</a>: Slow.' in page
    assert re.findall(r'<li id="to-([^"]+)"', page) == ["2.0", "2.1"]
    lines = CliRunner().invoke(main, [*asked[:4], *asked[5:]]).output
    assert "Do not skip 2.0.\nBreaking changes:\n  - WK-4: **Gone**. (2.1)\n" in lines
    assert "Requirements of 2.1:\n  - See [start](/help/start/)\n" in lines
    plain = unescape(re.sub(r"<[^>]+>", "", page))
    assert "Without a number & code" in plain


def test_a_guide_ends_with_the_way_to_the_release_and_to_our_help(real: Library) -> None:
    text = _plans(real)["upgrade/cityworks/15.8.9/"].text()
    assert '<a class="button" data-get href="/releases/cityworks/23.14.1/">Get Cityworks 23.14.1</a>' in text
    assert 'href="/support/ticket/?product=cityworks&amp;version=15.8.9">Ask us for help</a>' in text
    assert '<b data-count="all">16</b> changes in all' in text
    assert "data-get" not in _plans(real)["upgrade/cityworks/23.14.1/"].text()


def test_the_newest_release_has_a_page_that_says_so(shelved: Shelve) -> None:
    plan = _plans(shelved())["upgrade/works/2.0/"]
    assert (
        '<p class="lead">Works 2.0 is the newest release: there is nothing to upgrade to.</p>' in plan.text()
    )
    answer = _data(plan)
    assert (answer["relation"], answer["steps"], answer["entries"]) == ("same", [], [])


def test_the_command_refuses_a_way_back_and_what_is_not_there(small: Callable[..., Path]) -> None:
    content = str(small())

    def run(*asked: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["upgrade", *asked, "--content", content])
        return done.exit_code, done.output

    assert run("works", "2.0", "1.1") == (
        1,
        "Error: TO must be a release that 2.0 has not left behind, such as 2.0, not '1.1': 2.0 is newer, and "
        "no upgrade leads back\n",
    )
    assert run("works", "1.2", "2.0") == (
        1,
        "Error: there must be a release of works such as 1.1, 1.0, 2.0, not '1.2'\n",
    )
    assert run("work", "1.0", "2.0") == (1, "Error: there must be a product such as works, not 'work'\n")
    code, output = run("works", "2.0", "2.0")
    assert code == 0 and output.startswith("Works 2.0 to itself: nothing changes.\n")


def test_an_update_of_a_version_left_behind_is_a_way_back(real: Library) -> None:
    assert _guide(real, "23.10", "15.8.9", "cityworks").relation == "back"
    assert _guide(real, "15.8.8", "15.8.9", "cityworks").relation == "forward"


def test_between_lines_that_nothing_joins_the_command_says_so(small: Callable[..., Path]) -> None:
    content = small(
        {
            "releases/works/7.0.md": _release(
                "7.0", "2025-08-01", "kind: version\nline: 7\n", "## New\n\n- WK-70: Other.\n"
            )
        }
    )
    asked = ["upgrade", "works", "1.0", "7.0", "--content", str(content)]
    assert (
        "No release leads from one to the other: told is what the second contains and the first does not.\n"
        in CliRunner().invoke(main, asked).output
    )


def test_what_is_under_embargo_shows_in_no_guide_before_its_hour(shelved: Shelve) -> None:
    planted = {
        "releases/works/2.1.md": _release(
            "2.1",
            "2026-11-24",
            "kind: update\nof: 2.0\npublish_at: 2026-11-24T09:00:00-07:00\n",
            "## Breaking changes\n\n- WK-99: Canary.\n",
        )
    }
    for hour, shown in (("15:59:59", False), ("16:00:00", True)):
        library = shelved(planted, now=datetime.fromisoformat(f"2026-11-24T{hour}+00:00"))
        told = [
            text
            for plan in _plans(library).values()
            if plan.url.startswith("upgrade/")
            for text in (plan.url, plan.text(), *(f"{path}{make()}" for path, make in plan.beside))
        ]
        assert any("Canary" in text for text in told) is shown
        assert any("2.1" in text for text in told) is shown


# Laws

Drawn = list[tuple[bool, list[tuple[str, int]]]]  # is it a version; its entries as (section, number)
drawn = st.lists(
    st.tuples(
        st.booleans(),
        st.lists(
            st.tuples(
                st.sampled_from(("New", "Changed", "Fixed", "Security", "Breaking changes", "Requirements")),
                st.integers(1, 12),
            ),
            max_size=4,
            unique_by=lambda one: one[1],
        ),
    ),
    min_size=2,
    max_size=9,
)


def _made(lines: dict[str, Drawn]) -> Library:
    """A library of lines; the first release of each is a version, all are a month apart in turns."""
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder)
        _write(content, lines)
        return binding.check(content, now=NOW)


def _write(content: Path, lines: dict[str, Drawn]) -> None:
    spec = util.spec_from_file_location("small", Path(__file__).with_name("small_content.py"))
    assert spec and spec.loader
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    changes: dict[str, str | None] = {f"releases/works/{old}.md": None for old in ("1.0", "1.1", "2.0")}
    changes["newsletter/spring.md"] = None
    for number, (line, releases) in enumerate(lines.items()):
        version = ""
        for place, (starts, entries) in enumerate(releases):
            name = f"{line}.{place}"
            day = date(2020, 1, 1) + timedelta(days=31 * place + number)
            kind = "kind: version\n" if starts or not place else f"kind: update\nof: {version}\n"
            version = name if starts or not place else version
            body = "".join(f"## {section}\n\n- WK-{n}: Text.\n\n" for section, n in entries)
            changes[f"releases/works/{name}.md"] = _release(
                name, day.isoformat(), f"{kind}line: {line}\n", body
            )
    module.write(content, changes)


_quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _contained(library: Library, version: str) -> dict[str, set[str]]:
    """By id the sections under which what the release contains tells it."""
    release = library.release("works", version)
    assert release
    found: dict[str, set[str]] = {}
    for each in library.contains(release):
        for entry in told(each):
            found.setdefault(key_of(each, entry), set()).add(entry.section)
    return found


@_quick
@given(drawn, st.data())
def test_law_the_way_in_two_parts_tells_what_the_way_at_once_tells(line: Drawn, pick: st.DataObject) -> None:
    library = _made({"1": line})
    chain = library.contains(library.releases[-1])[::-1]
    places = sorted(pick.draw(st.lists(st.integers(0, len(chain) - 1), min_size=3, max_size=3)))
    a, b, c = (chain[place].version for place in places)
    assert _keys(_guide(library, a, c)) == _keys(_guide(library, a, b)) | _keys(_guide(library, b, c))


@_quick
@given(drawn, drawn)
def test_law_across_two_lines_nothing_had_is_new_and_nothing_is_lost(one: Drawn, other: Drawn) -> None:
    library = _made({"1": one, "2": other})
    contained = {release.version: _contained(library, release.version) for release in library.releases}
    for start in contained:
        for goal in contained:
            guide = _guide(library, start, goal)
            assert _keys(guide) == contained[goal].keys() - contained[start].keys()
            assert {gain.entry.id for gain in guide.losses} == {
                key
                for key in contained[start].keys() - contained[goal].keys()
                if contained[start][key] & {"Fixed", "Security"}
            }
            assert {gain.entry.id for gain in guide.had} <= contained[start].keys() & contained[goal].keys()


MANY: Drawn = [(not n, [("Fixed", 10 * n + m) for m in range(8)]) for n in range(90)]
MANY[50] = (False, [("Breaking changes", 500)])
MANY[70] = (False, [("Security", 700)])


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("long")
    _write(folder, {"1": MANY})
    return binding.check(folder, now=NOW)


def test_a_long_way_is_told_in_parts_that_together_tell_all(long: Library) -> None:
    ways, known = Ways(long, "works"), support.known_issues(long)
    current, steps, entries, parts = long.releases[3], [], [], 0
    while (guide := onward(ways, current, known)).way:
        assert guide.more is (guide.goal is not ways.newest)
        if guide.more:
            assert ENOUGH <= len(guide.gains) < ENOUGH + 8
            assert [gain.entry.id for gain in guide.ahead] == [
                f"WK-{n}"
                for n, place in ((500, 50), (700, 70))
                if long.releases[place] not in guide.way and place > long.releases.index(current)
            ]
        steps += [one.version for one in guide.way]
        entries += [gain.entry.id for gain in guide.gains]
        current, parts = guide.goal, parts + 1
    assert steps == [one.version for one in long.releases[4:]]
    assert sorted(entries) == sorted(entry.id for one in long.releases[4:] for entry in one.entries)
    assert parts > 3


def test_a_part_says_where_the_way_goes_on_and_what_is_grave_beyond(long: Library) -> None:
    plan = _plans(long)["upgrade/works/1.3/"]
    answer = _data(plan)
    assert answer["to"]["version"] == "1.7"  # type: ignore[index]
    assert answer["next"] == "/data/upgrade/works/1.7.json"
    assert answer["ahead"]["complete"] is True  # type: ignore[index]
    text = plan.text()
    assert '<a href="/upgrade/works/1.7/">from 1.7</a>' in text
    assert "WK-500" in text and "WK-700" in text and "WK-100" not in text


def test_a_new_release_changes_the_guides_near_it_and_those_it_is_grave_for(tmp_path: Path) -> None:
    keys = []
    for more in ([], [(False, [("Fixed", 9001)])], [(False, [("Breaking changes", 9002)])]):
        _write(tmp_path, {"1": [*MANY, *more]})
        library = binding.check(tmp_path, now=NOW)
        keys.append(
            {url: plan.key for url, plan in _plans(library).items() if re.match(r"upgrade/works/1\.", url)}
        )
    plain, added, grave = keys
    far = {f"upgrade/works/1.{n}/" for n in range(38)}
    assert {url for url in plain if added[url] == plain[url]} == far
    assert not {url for url in plain if grave[url] == plain[url]}


def test_an_edit_makes_those_guides_again_that_tell_of_the_release(
    small: Callable[..., Path], tmp_path: Path
) -> None:
    content = small(WITH_ALL)

    def build(out: str, **more: object) -> Built:
        options: dict[str, object] = {"now": TODAY, "jobs": 1, "cache": tmp_path / "cache", **more}
        return binding.build(content, SITE, tmp_path / out, **options)  # type: ignore[arg-type]

    build("dist")
    notes = content / "releases/works/2.0.md"
    notes.write_text(notes.read_text().replace("WK-3: See", "WK-3: Look at"))
    built = build("dist")
    assert [url for url in built.rendered if url.startswith("upgrade/")] == [
        "upgrade/works/1.0/",
        "upgrade/works/1.1/",
    ]
    assert "public/data/upgrade/works/1.1.json" in built.written
    (tmp_path / "dist/public/data/upgrade/works/1.0.json").write_text("{}")
    help_page = content / "help/start.md"
    help_page.write_text(help_page.read_text() + "\nMore.\n")
    assert build("dist").rendered == ("help/start/",)
    build("clean", cache=None)
    (tmp_path / "dist/public/data/upgrade/works/1.0.json").unlink()
    (tmp_path / "clean/public/data/upgrade/works/1.0.json").unlink()
    for path in sorted((tmp_path / "clean").rglob("*")):
        if path.is_file():
            assert (
                tmp_path / "dist" / path.relative_to(tmp_path / "clean")
            ).read_bytes() == path.read_bytes()
