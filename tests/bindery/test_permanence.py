"""What was published stays: the ledger, what a publication is refused for, renames, tombstones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest
import vobject
from click.testing import CliRunner, Result

from bindery import binding, permanence, publications, publish
from bindery.cli import main
from bindery.permanence import ADDRESS, ENTRY, EVENT, FIX, Ledger, Published, Trace
from bindery.publications import Folder, PublishError, Vanish

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "site"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVENT_FILE = "events/days.md"
DAYS = "---\ntitle: Days\nstart: 2027-03-01\nend: 2027-03-02\nplace: Denver\n---\n\nCome.\n"


class Vendor:
    """A vendor with content, a place to build and a target."""

    def __init__(self, root: Path, content: Path) -> None:
        self.content = content
        self.out = root / "dist"
        self.folder = Folder(path=root / "target")
        self.now = NOON
        self._cache = root / "cache"

    @property
    def target(self) -> str:
        return f"dir:{self.folder.path}"

    def write(self, path: str, text: str | None) -> None:
        if text is None:
            (self.content / path).unlink()
        else:
            (self.content / path).parent.mkdir(parents=True, exist_ok=True)
            (self.content / path).write_text(text, "utf-8")

    def rename(self, old: str, new: str, field: str) -> None:
        """Rename a file and put a line into its front matter."""
        text = (self.content / old).read_text("utf-8")
        (self.content / old).unlink()
        self.write(new, text.replace("---\n", f"---\n{field}\n", 1))

    def build(self, *, against: bool = False) -> None:
        ledger = publications.ledger(self.folder) if against else None
        binding.build(
            self.content,
            SITE,
            self.out,
            now=NOON,
            url="https://support.example",
            jobs=1,
            cache=self._cache,
            ledger=ledger,
        )

    def publish(self, *, against: bool = False, let_go: str = "") -> publications.Publication:
        self.build(against=against)
        self.now += HOUR
        return publish.publish(self.folder, self.out, now=self.now, let_go=let_go)

    def refusal(self, *, against: bool = False) -> list[str]:
        before = publications.current_name(self.folder)
        with pytest.raises(Vanish) as refused:
            self.publish(against=against)
        assert publications.current_name(self.folder) == before
        return refused.value.lines

    def page(self, address: str) -> str:
        return (self.folder.path / "current/public" / address / "index.html").read_text("utf-8")

    def file(self, path: str) -> Any:
        text = (self.folder.path / "current/public" / path).read_text("utf-8")
        return json.loads(text) if path.endswith(".json") else text

    def names(self, sort: str) -> set[str]:
        return set(publications.ledger(self.folder).names[sort])


@pytest.fixture
def vendor(tmp_path: Path, small: Callable[..., Path]) -> Vendor:
    return Vendor(tmp_path, small({EVENT_FILE: DAYS}))


def test_every_name_that_a_reader_may_keep_is_in_the_ledger(vendor: Vendor) -> None:
    made = vendor.publish()

    known = publications.ledger(vendor.folder)
    assert vendor.folder.ledger.read_text("utf-8") == known.as_json()
    assert known.publications == {made.id: "2026-11-23T13:00:00+00:00"}
    assert {name for name in vendor.names(ADDRESS) if name.startswith(("help/", "data/c", "calendar/"))} == {
        "help/",
        "help/start/",
        "data/catalog.json",
        "calendar/events.ics",
        "calendar/life-cycle.ics",
    }
    assert not any(name.startswith(("assets/", "support/answers/")) for name in vendor.names(ADDRESS))
    assert vendor.names(ENTRY) == {
        f"tag:www.example.com,2026:{identity}"
        for identity in (
            *("releases/works/1.0", "releases/works/1.1", "releases/works/2.0"),
            *("newsletter/spring", "events/days", "life-cycle/works/1.0"),
        )
    }
    assert vendor.names(EVENT) == {"events/days@www.example.com", "life-cycle/works/1.0@www.example.com"}
    assert vendor.names(FIX) == {"works/WK-1", "works/WK-2"}
    assert known.names[FIX]["works/WK-2"].trace == Trace("releases/works/1.1.md", "releases/works/1.1/")


def test_what_is_under_embargo_is_in_no_list_of_names(vendor: Vendor) -> None:
    vendor.write(
        "releases/works/3.0.md",
        "---\nversion: 3.0\nreleased: 2027-01-01\nkind: version\npublish_at: 2027-01-01T00:00:00Z\n---\n\n"
        "## New\n\n- WK-77: Canary.\n",
    )
    vendor.publish()
    for path in (vendor.folder.ledger, vendor.folder.pointer / permanence.FILE):
        assert "WK-77" not in path.read_text("utf-8")
        assert "3.0" not in path.read_text("utf-8")


def test_everything_that_vanishes_is_told_at_once_with_the_mend(vendor: Vendor) -> None:
    vendor.publish()
    vendor.write("help/start.md", None)
    vendor.write(EVENT_FILE, None)
    notes = vendor.content / "releases/works/1.1.md"
    notes.write_text(notes.read_text("utf-8").replace("WK-2: ", "WK-3: "), "utf-8")

    assert vendor.refusal() == [
        "/events/days/ (of events/days.md, first published on 2026-11-23; with it feed entry "
        "tag:www.example.com,2026:events/days, calendar entry events/days@www.example.com) must not vanish: "
        "give 'redirect_from: [events/days/]' to the page that replaces it, or bury it with "
        "'gone: [events/days/]' in a file such as content/gone/days.md",
        "/help/start/ (of help/start.md, first published on 2026-11-23) must not vanish: give "
        "'redirect_from: [help/start/]' to the page that replaces it, or bury it with "
        "'gone: [help/start/]' in a file such as content/gone/start.md",
        "fix works/WK-2 (of releases/works/1.1.md, first published on 2026-11-23) must not vanish: put the "
        "entry back into the notes of a release, or bury it with 'ids: [\"works/WK-2\"]' in a file such as "
        "content/gone/wk-2.md",
        "5 published names would vanish.",
    ]


def test_a_renamed_file_keeps_its_ids_and_its_old_address_leads_on(vendor: Vendor) -> None:
    vendor.publish()
    vendor.rename("releases/works/1.1.md", "releases/works/1.1.0.md", "redirect_from: [releases/works/1.1/]")
    path = vendor.content / "releases/works/1.1.0.md"
    path.write_text(path.read_text("utf-8").replace("version: 1.1\n", "version: 1.1.0\n"), "utf-8")
    vendor.rename(EVENT_FILE, "events/user-days.md", "redirect_from: [events/days/]")
    before = {sort: vendor.names(sort) for sort in (ENTRY, EVENT, FIX)}

    vendor.publish()

    assert {sort: vendor.names(sort) for sort in (ENTRY, EVENT, FIX)} == before
    assert 'content="0; url=/events/user-days/"' in vendor.page("events/days")
    assert '<link rel="canonical" href="https://support.example/events/user-days/">' in vendor.page(
        "events/days"
    )
    assert vendor.file("data/moved.json") == {
        "format": 1,
        "gone": {},
        "moved": {
            "/data/upgrade/works/1.1.json": "/data/upgrade/works/1.1.0.json",
            "/events/days/": "/events/user-days/",
            "/releases/works/1.1/": "/releases/works/1.1.0/",
            "/upgrade/works/1.1/": "/upgrade/works/1.1.0/",
        },
    }
    assert vendor.file("data/upgrade/works/1.1.json") == vendor.file("data/upgrade/works/1.1.0.json")
    assert 'url=/upgrade/works/1.1.0/"' in vendor.page("upgrade/works/1.1")


def test_everything_of_a_renamed_product_stands_at_its_old_name_too(vendor: Vendor) -> None:
    vendor.publish()
    for name in ("index", "1.0", "1.1", "2.0"):
        field = f"redirect_from: [releases/works/{'' if name == 'index' else f'{name}/'}]"
        vendor.rename(f"releases/works/{name}.md", f"releases/plant/{name}.md", field)
    issue = vendor.content / "newsletter/spring.md"
    issue.write_text(issue.read_text("utf-8").replace("releases/works/", "releases/plant/"), "utf-8")
    before = {sort: vendor.names(sort) for sort in (ENTRY, EVENT, FIX)}

    vendor.publish()

    assert {sort: vendor.names(sort) for sort in (ENTRY, EVENT, FIX)} == before
    assert 'url=/releases/plant/"' in vendor.page("releases/works")
    assert 'url=/upgrade/plant/"' in vendor.page("upgrade/works")
    for path in ("feeds/releases/{}.json", "data/eol/v1/products/{}.json", "data/upgrade/{}/1.0.json"):
        assert vendor.file(path.format("works")) == vendor.file(path.format("plant"))
        assert (
            vendor.file("data/moved.json")["moved"][f"/{path.format('works')}"] == f"/{path.format('plant')}"
        )
    vendor.build()
    clean = vendor.out.parent / "clean"
    binding.build(vendor.content, SITE, clean, now=NOON, url="https://support.example", jobs=1, cache=None)
    assert (clean / "manifest.json").read_bytes() == (vendor.out / "manifest.json").read_bytes()


def test_a_tombstone_of_a_release_gives_up_what_was_made_of_it(vendor: Vendor) -> None:
    vendor.publish()
    vendor.write("releases/works/1.1.md", None)
    assert vendor.refusal() == [
        "/releases/works/1.1/ (of releases/works/1.1.md, first published on 2026-11-23; with it address "
        "/data/upgrade/works/1.1.json, address /upgrade/works/1.1/, feed entry "
        "tag:www.example.com,2026:releases/works/1.1, fix works/WK-2) must not vanish: give "
        "'redirect_from: [releases/works/1.1/]' to the page that replaces it, or bury it with "
        "'gone: [releases/works/1.1/]' in a file such as content/gone/1.1.md",
        "5 published names would vanish.",
    ]
    vendor.write(
        "gone/1.1.md", "---\ntitle: Works 1.1\ngone: [releases/works/1.1]\nbecause: Withdrawn.\n---\n"
    )
    vendor.publish()


def test_a_file_that_is_renamed_twice_still_has_its_first_id(vendor: Vendor) -> None:
    vendor.publish()
    vendor.rename(EVENT_FILE, "events/b.md", "redirect_from: [events/days/]")
    vendor.publish()
    text = (vendor.content / "events/b.md").read_text("utf-8")
    vendor.write("events/b.md", None)
    vendor.write("events/c.md", text.replace("[events/days/]", "[events/days/, events/b/]"))
    vendor.publish()
    assert 'url=/events/c/"' in vendor.page("events/days")
    assert 'url=/events/c/"' in vendor.page("events/b")
    assert "events/days@www.example.com" in vendor.file("calendar/events.ics")

    vendor.write("events/c.md", text.replace("[events/days/]", "[events/b/, events/days/]"))
    assert vendor.refusal()[0] == (
        "feed entry tag:www.example.com,2026:events/days (of events/c.md, first published on "
        "2026-11-23) must "
        "not vanish: give the file that replaces it the 'id' that this one was made from, or bury it with "
        "'ids: [\"tag:www.example.com,2026:events/days\"]' in a file such as content/gone/days.md"
    )
    vendor.write("events/c.md", text.replace("[events/days/]", "[events/b/, events/days/]\nid: events/days"))
    vendor.publish()


def test_a_tombstone_gives_up_an_address_and_what_stood_there_and_says_why(vendor: Vendor) -> None:
    vendor.publish()
    vendor.write(EVENT_FILE, None)
    vendor.write("help/start.md", None)
    vendor.write(
        "gone/days.md",
        "---\ntitle: User days 2027\ngone: [events/days, help/start]\n"
        "because: The hall burned down.\n---\n\nSee the [list](/events/).\n",
    )
    vendor.publish()
    for address in ("events/days", "help/start"):
        html = vendor.page(address)
        assert "User days 2027" in html
        assert "The hall burned down." in html
        assert '<meta name="robots" content="noindex">' in html
    assert vendor.file("data/moved.json")["gone"] == {
        "/events/days/": "The hall burned down.",
        "/help/start/": "The hall burned down.",
    }
    assert "events/days" not in vendor.file("sitemap.xml")
    assert not (vendor.folder.pointer / "public/gone").exists()

    vendor.write("gone/days.md", None)
    assert vendor.refusal()[-1] == "4 published names would vanish."


def test_a_fix_may_move_to_another_release_and_may_be_buried_by_its_id(vendor: Vendor) -> None:
    vendor.publish()
    path = vendor.content / "releases/works/1.1.md"
    path.write_text(path.read_text("utf-8").replace("WK-2: A fault that\n  took two lines", "Words"), "utf-8")
    later = vendor.content / "releases/works/2.0.md"
    later.write_text(later.read_text("utf-8") + "\n## Fixed\n\n- WK-2: A fault.\n", "utf-8")
    vendor.publish()
    known = publications.ledger(vendor.folder).names[FIX]["works/WK-2"]
    assert known.trace == Trace("releases/works/2.0.md", "releases/works/2.0/")

    later.write_text(later.read_text("utf-8").replace("WK-2: A", "A"), "utf-8")
    assert vendor.refusal()[-1] == "1 published name would vanish."
    vendor.write(
        "gone/wk-2.md", '---\ntitle: WK-2\nids: ["works/WK-2"]\nbecause: It never was a fault.\n---\n'
    )
    vendor.publish()
    assert "It never was a fault." in vendor.page("gone/wk-2")


def test_names_outlive_the_publications_that_had_them(vendor: Vendor) -> None:
    vendor.publish()
    vendor.write("help/start.md", None)
    vendor.publish(let_go="A court said so")
    vendor.write("help/second.md", "---\ntitle: Second\n---\n")
    vendor.publish()
    for number in range(publish.PUBLICATIONS_STAY + 5):
        (vendor.out / "public/404.html").write_text(f"{number}", "utf-8")
        vendor.now += HOUR
        publish.publish(vendor.folder, vendor.out, now=vendor.now)
        publish.prune(vendor.folder)
    assert len(publications.names(vendor.folder)) == publish.PUBLICATIONS_STAY
    vendor.write("help/second.md", None)

    assert vendor.refusal() == [
        "/help/second/ (of help/second.md, first published on 2026-11-23) must not vanish: give "
        "'redirect_from: [help/second/]' to the page that replaces it, or bury it with "
        "'gone: [help/second/]' in a file such as content/gone/second.md",
        "1 published name would vanish.",
    ]


def test_names_of_a_publication_that_was_rolled_back_stay(vendor: Vendor) -> None:
    vendor.publish()
    vendor.write("help/second.md", "---\ntitle: Second\n---\n")
    vendor.publish()
    publish.rollback(vendor.folder, None, now=vendor.now + HOUR)
    vendor.write("help/second.md", None)
    assert vendor.refusal()[-1] == "1 published name would vanish."


def test_what_was_let_go_is_in_the_ledger_with_the_reason_and_may_come_back(vendor: Vendor) -> None:
    vendor.publish()
    text = (vendor.content / "help/start.md").read_text("utf-8")
    vendor.write("help/start.md", None)
    without = vendor.publish(let_go="A court said so")
    known = publications.ledger(vendor.folder).names[ADDRESS]["help/start/"]
    first = min(publications.ledger(vendor.folder).publications)
    assert (known.first, known.last, known.let_go) == (first, first, "A court said so")
    assert json.loads((vendor.folder.pointer / "manifest.json").read_text())["let_go"] == "A court said so"

    vendor.write("help/other.md", "---\ntitle: Other\n---\n")
    vendor.publish()
    vendor.write("help/start.md", text)
    vendor.publish()
    known = publications.ledger(vendor.folder).names[ADDRESS]["help/start/"]
    assert (known.first, known.last, known.let_go) == (first, None, "")
    assert without.id != first
    vendor.write("help/start.md", None)
    assert vendor.refusal()[-1] == "1 published name would vanish."


def test_a_ledger_that_was_not_written_or_is_lost_is_made_of_the_publications(vendor: Vendor) -> None:
    vendor.publish()
    earlier = vendor.folder.ledger.read_bytes()
    vendor.write("help/second.md", "---\ntitle: Second\n---\n")
    vendor.publish()
    whole = vendor.folder.ledger.read_bytes()
    vendor.write("help/second.md", None)

    vendor.folder.ledger.write_bytes(earlier)  # as a publisher leaves it that dies after the pointer moved
    assert vendor.refusal()[-1] == "1 published name would vanish."
    assert publications.ledger(vendor.folder).as_json().encode() == whole

    vendor.folder.ledger.unlink()
    assert publications.ledger(vendor.folder).as_json().encode() == whole

    vendor.folder.ledger.write_bytes(whole[:-9])
    with pytest.raises(PublishError) as refused:
        publications.ledger(vendor.folder)
    assert str(refused.value) == (
        f"{vendor.folder.ledger} is damaged: put it back from a backup. Without one take it away: "
        f"it is then made "
        "anew from the 2 publications that are still there"
    )


def test_addresses_of_publications_from_before_the_ledger_count(vendor: Vendor) -> None:
    vendor.build()
    (vendor.out / permanence.FILE).rename(vendor.out.parent / "aside")
    publish.publish(vendor.folder, vendor.out, now=NOON)
    vendor.folder.ledger.unlink()
    (vendor.out.parent / "aside").rename(vendor.out / permanence.FILE)
    vendor.write("help/start.md", None)
    assert vendor.refusal() == [
        "/help/start/ (first published on 2026-11-23) must not vanish: give 'redirect_from: "
        "[help/start/]' to "
        "the page that replaces it, or bury it with 'gone: [help/start/]' in a file such as "
        "content/gone/start.md",
        "1 published name would vanish.",
    ]


def test_what_tells_no_names_does_not_replace_what_does(vendor: Vendor) -> None:
    vendor.publish()
    (vendor.out / permanence.FILE).unlink()
    with pytest.raises(PublishError) as refused:
        publish.publish(vendor.folder, vendor.out, now=vendor.now)
    assert str(refused.value) == (
        f"{vendor.out} says nothing of what is to stay (permanence.json), and what is published "
        f"here does: make "
        "it with `bindery build`"
    )


def test_a_list_page_that_is_no_more_leads_to_the_page_above_when_the_ledger_is_given(vendor: Vendor) -> None:
    for number in range(61):
        text = f"---\ntitle: Issue {number}\ndate: {2020 + number % 2}-01-01\n---\n"
        vendor.write(f"newsletter/{number}.md", text)
    vendor.publish()
    for number in range(1, 61, 2):
        path = vendor.content / f"newsletter/{number}.md"
        path.write_text(path.read_text("utf-8").replace("2021-", "2020-"), "utf-8")

    assert vendor.refusal() == [
        "/newsletter/years/2021/ (made by the build, first published on 2026-11-23) must not vanish: build "
        f"again with --against {vendor.target}, and it will lead to the page above it",
        "1 published name would vanish.",
    ]
    vendor.publish(against=True)
    assert 'url=/newsletter/"' in vendor.page("newsletter/years/2021")
    assert vendor.file("data/moved.json")["moved"] == {"/newsletter/years/2021/": "/newsletter/"}
    vendor.publish(against=True)
    assert 'url=/newsletter/"' in vendor.page("newsletter/years/2021")


def test_old_addresses_at_which_the_build_makes_something_are_problems(vendor: Vendor) -> None:
    vendor.rename("help/start.md", "help/begin.md", "redirect_from: [life-cycle/]")
    vendor.write(
        "gone/x.md",
        "---\ntitle: X\ngone: [releases/, data/catalog.json]\nbecause: It went.\n---\n",
    )
    with pytest.raises(binding.Problems) as found:
        vendor.build()
    assert [str(problem).removeprefix(f"{vendor.content}/") for problem in found.value.problems] == [
        "gone/x.md:3: 'gone' must be an address at which nothing stands, not 'data/catalog.json', which the "
        "build makes",
        "gone/x.md:3: 'gone' must be an address at which nothing stands, not 'releases/', which "
        "the build makes",
        "help/begin.md:2: 'redirect_from' must be an address at which nothing stands, not "
        "'life-cycle/', which "
        "the build makes",
    ]


def test_fields_of_a_tombstone_are_checked(vendor: Vendor) -> None:
    vendor.write("gone/a.md", "---\ntitle: A\nwhy: x\n---\n")
    vendor.write("gone/b.md", "---\ntitle: B\ngone: [help/start/]\nbecause: It went.\n---\n")
    vendor.write("gone/deep/c.md", "---\ntitle: C\n---\n")
    with pytest.raises(binding.Problems) as found:
        binding.check(vendor.content, now=NOON)
    assert [str(problem).removeprefix(f"{vendor.content}/") for problem in found.value.problems] == [
        "gone/a.md:1: 'because' must be text such as 'The product that it spoke of is no longer made.', not "
        "left out",
        "gone/a.md:1: 'gone' must be given, or 'ids', such as help/old-page/, not left out",
        "gone/a.md:3: 'why' must be a field of a tombstone such as 'because', 'draft', 'gone', 'id', 'ids', "
        "'publish_at', 'redirect_from', 'sample', 'sample_note', 'summary', 'title', 'updated', "
        "not an unknown "
        "one",
        "gone/deep/c.md:1: the file must be at gone/<name>.md, not in a folder of its own",
        "help/start.md:1: the file must have an address of its own, 'help/start/' is that of gone/b.md",
    ]


def said(vendor: Vendor, name: str = "events") -> dict[str, tuple[str, int, str]]:
    calendar = icalendar.Calendar.from_ical(vendor.file(f"calendar/{name}.ics"))
    return {
        str(event["UID"]): (str(event["DTSTART"].dt), int(event["SEQUENCE"]), str(event.get("STATUS", "")))
        for event in calendar.walk("VEVENT")
    }


def test_sequence_rises_when_a_day_moves_and_what_is_no_more_is_cancelled(vendor: Vendor) -> None:
    uid = "events/days@www.example.com"
    vendor.publish(against=True)
    assert said(vendor) == {uid: ("2027-03-01", 0, "")}
    vendor.write(EVENT_FILE, DAYS.replace("2027-03-01", "2027-02-27"))
    vendor.publish(against=True)
    assert said(vendor) == {uid: ("2027-02-27", 1, "")}
    vendor.write(EVENT_FILE, DAYS.replace("2027-03-01", "2027-02-27").replace("Denver", "Boulder"))
    vendor.publish(against=True)
    assert said(vendor) == {uid: ("2027-02-27", 1, "")}

    vendor.write(EVENT_FILE, None)
    vendor.write("gone/days.md", "---\ntitle: Days\ngone: [events/days]\nbecause: It is off.\n---\n")
    for _ in range(2):
        vendor.publish(against=True)
        assert said(vendor) == {uid: ("2027-02-27", 2, "CANCELLED")}
    vobject.readOne(vendor.file("calendar/events.ics")).validate(raiseException=True)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_the_commands_refuse_and_let_go_and_list(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795435200")
    looks = ("--content", str(vendor.content), "--site", str(SITE))
    assert run("build", *looks, "--url", "https://support.example").exit_code == 0
    assert run("publish", vendor.target).exit_code == 0
    assert run("check", *looks, "--against", vendor.target).output.endswith(", no problem.\n")
    today = publications.ledger(vendor.folder).when(str(publications.current_name(vendor.folder)))
    vendor.write("help/start.md", None)
    line = (
        f"/help/start/ (of help/start.md, first published on {today}) must not vanish: give "
        "'redirect_from: [help/start/]' to the page that replaces it, or bury it with "
        "'gone: [help/start/]' in a file such as content/gone/start.md\n1 published name would vanish.\n"
    )
    checked = run("check", *looks, "--against", vendor.target)
    assert (checked.exit_code, checked.stderr, checked.stdout) == (1, line, "")
    assert run("build", *looks, "--url", "https://support.example").exit_code == 0
    refused = run("publish", vendor.target)
    hint = 'Nothing was published. To let them go all the same, say why: --allow-vanish "the reason"\n'
    assert (refused.exit_code, refused.stderr, refused.stdout) == (1, line + hint, "")
    assert run("publish", vendor.target, "--allow-vanish", "A court said so").exit_code == 0

    assert run("ledger", vendor.target, "start").stdout == (
        f"address         /help/start/  since {today}, until {today}, let go: A court said so  "
        f"help/start.md\n"
    )
    told = json.loads(run("ledger", vendor.target, "--gone", "--json").stdout)
    assert [(each["sort"], each["name"], each["there"], each["let_go"]) for each in told] == [
        ("address", "help/start/", False, "A court said so")
    ]
    assert run("ledger", vendor.target, "nothing", "like").stdout == "No name is like that\n"
    assert run("ledger", f"dir:{tmp_path}/none").stdout == "Nothing is published there yet\n"
    shutil.rmtree(vendor.out)


def test_a_ledger_reads_what_it_wrote() -> None:
    before = permanence.enter(
        Ledger(), "a", "2026-01-01T00:00:00+00:00", Published(names={ADDRESS: {"x/": Trace("x.md")}})
    )
    after = permanence.enter(before, "b", "2026-01-02T00:00:00+00:00", Published(names={ADDRESS: {}}))
    assert permanence.ledger(after.as_json()) == after
    assert after.names[ADDRESS]["x/"].last == "a"
    assert permanence.forget(after, "a").names[ADDRESS] == {}


def test_names_that_were_written_before_need_not_be_known_again() -> None:
    fixes = {"works/WK-1": Trace("releases/works/1.0.md", "releases/works/1.0/"), "works/WK-2": Trace(None)}
    rest = {ADDRESS: {"x/": Trace("x.md")}, EVENT: {}}
    whole = Published(names={**rest, FIX: fixes}, gone={"y/": "gone/y.md"})
    told = {FIX: permanence.names_as_json(fixes)}
    assert Published(names=rest, gone=whole.gone).as_json(told) == whole.as_json()
    assert permanence.published(whole.as_json()) == whole
