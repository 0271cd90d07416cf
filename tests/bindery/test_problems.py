"""What bad content gets: every problem at once, path and line, exact words, nothing written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from bindery.cli import main

RELEASE = "---\nversion: {version}\nreleased: {released}\nkind: {kind}\n{more}---\n{body}\n"
BROKEN: dict[str, tuple[str, list[str]]] = {
    "releases/works/3.0.md": (
        "---\nversion: 3.0\nreleased: 2027-13-01\nkind: version\n---\n",
        ["3: 'released' must be a date such as 2025-01-29, not '2027-13-01'"],
    ),
    "releases/works/0.9.md": (
        "---\nversion: 0.9\nreleased: 2023-01-01\nkind: update\nof: 9.9\n---\n",
        ["5: 'of' must be a version of works such as 1.0, 2.0, not '9.9'"],
    ),
    "releases/works/3.2.md": (
        "---\nversion: 3.3\nreleasd: 2026-01-01\nkind: major\n---\n",
        [
            "1: 'released' must be a date such as 2025-01-29, not left out",
            "2: 'version' must be the version that the file's name says such as '3.2', not '3.3'",
            "3: 'releasd' must be a field of a release such as 'released', not an unknown one",
            "4: 'kind' must be one of version, update such as version, not 'major'",
        ],
    ),
    "newsletter/autumn.md": (
        "---\ndate: 2026-09-01\n---\nRead [this](nowhere.md).\n",
        [
            "1: 'title' must be text such as 'Preparing an upgrade', not left out",
            "4: the link must lead to a file such as ../help/index.md, not 'nowhere.md'",
        ],
    ),
    "newsletter/winter.md": (
        "---\ntitle: Winter\ndate: 2026-12-01\n---\n\nRead [this](nowhere.md).\n",
        ["6: the link must lead to a file such as ../help/index.md, not 'nowhere.md'"],
    ),
    "newsletter/2026/spring.md": (
        "---\ntitle: Spring\ndate: 2026-03-01\n---\n",
        ["1: the file must be at newsletter/<name>.md, not in a folder of its own"],
    ),
    "help/script.md": (
        "---\ntitle: Script\n---\n\n[a](javascript:alert) and [b](HTTPS://x.example/), `[c](none.md)`\n",
        ["5: the link must lead to a file such as ../help/index.md, not 'javascript:alert'"],
    ),
    "events/day.md": (
        "---\ntitle: Day\nstart: 2026-05-02\nend: 2026-05-01\nplace: Here\n---\n",
        ["4: 'end' must be the day of 'start' or a later one such as 2026-05-02, not '2026-05-01'"],
    ),
    "defects/WK-7.md": (
        "---\ntitle: Fault\nproduct: works\nfound_in: [7.7]\n---\n",
        ["4: 'found_in' must be releases of works such as 1.0, 1.1, 2.0, not '7.7'"],
    ),
    "papers/valves.md": (
        "---\ntitle: Valves\ndate: 2026-01-01\nauthors: Somebody\nabstract: Short.\n---\n",
        ["4: 'authors' must be a list of fields such as '- name: …', not 'Somebody'"],
    ),
    "help/broken.md": (
        "---\ntitle: [unclosed\n---\n",
        ["3: the front matter must be YAML, such as 'title: …': did not find expected ',' or ']'"],
    ),
    "help/none.md": (
        "Just text.\n",
        [
            "1: the file must begin with front matter between two '---' lines, "
            "such as '---', 'title: …', '---'"
        ],
    ),
    "help/twice.md": (
        "---\ntitle: One\ntitle: Two\nsample: yes\n---\n\nSee {{ rules.nothing }}.\n",
        [
            "3: 'title' must be given once, it stands here again",
            "4: 'sample' must be one of true, false such as true, not 'yes'",
            "7: '{{ rules.nothing }}' must be a value of the policy such as rules.rounding,"
            " not an unknown one",
        ],
    ),
    "help/topics.md": (
        "---\ntitle: Topics\ntopic: Get help\ntopics: [Get help]\n---\n",
        ["4: 'topics' must be in help/index.md such as help/index.md, not 'help/topics.md'"],
    ),
    "papers-and-more.md": (
        "---\ntitle: More\ntopic: Get help\n---\n",
        ["3: 'topic' must be in an article below help/ such as help/iis.md, not 'papers-and-more.md'"],
    ),
    "help/crossed.md": (
        "---\ntitle: Crossed\n---\n\nA `*a**b*c` is code, *a**b* c is well, *in\none**line*s is not.\n",
        [
            "5: emphasis must close what it opened last such as <em>a</em><strong>b</strong>, "
            "not '*in one**line*s'"
        ],
    ),
    "help/value.md": (
        "---\ntitle: Value\n---\n\nFor {{ rules.renewel }}.\n",
        ["5: '{{ rules.renewel }}' must be a value of the policy such as rules.renewal, not an unknown one"],
    ),
}


def test_every_problem_is_told_at_once_and_nothing_is_written(
    small: Callable[..., Path], tmp_path: Path
) -> None:
    content = small({path: text for path, (text, _) in BROKEN.items()})
    out = tmp_path / "dist"

    result = CliRunner().invoke(main, ["build", "--content", str(content), "--out", str(out)])

    expected = [f"{content}/{path}:{line}" for path, (_, lines) in BROKEN.items() for line in lines]
    told = result.stderr.splitlines()
    assert sorted(told[:-1]) == sorted(expected)
    assert told[-1] == f"{len(expected)} problems; nothing was written."
    assert result.exit_code == 1
    assert not out.exists()


@pytest.mark.parametrize(("path", "text", "lines"), [(p, t, li) for p, (t, li) in BROKEN.items()])
def test_each_broken_file_alone_gets_its_own_words(
    small: Callable[..., Path], path: str, text: str, lines: list[str]
) -> None:
    content = small({path: text})
    result = CliRunner().invoke(main, ["check", "--content", str(content)])
    assert result.stderr.splitlines()[:-1] == [f"{content}/{path}:{line}" for line in lines]


def test_a_topic_that_help_does_not_list_is_a_slip(small: Callable[..., Path]) -> None:
    content = small(
        {
            "help/index.md": "---\ntitle: Help\ntopics: [Get help, Releases and upgrades]\n---\n",
            "help/iis.md": "---\ntitle: IIS\ntopic: Releases & upgrades\n---\n",
            "help/ticket.md": "---\ntitle: Ticket\ntopic: Get help\n---\n",
        }
    )
    result = CliRunner().invoke(main, ["check", "--content", str(content)])
    assert result.stderr.splitlines()[:-1] == [
        f"{content}/help/iis.md:3: 'topic' must be one that help/index.md lists, "
        "such as 'Releases and upgrades', not 'Releases & upgrades'"
    ]


def test_a_file_that_is_not_utf8_is_named_with_its_line(small: Callable[..., Path]) -> None:
    content = small()
    (content / "help/latin.md").write_bytes(b"---\ntitle: One\n---\n\nGr\xfc\xdfe\n")
    result = CliRunner().invoke(main, ["check", "--content", str(content)])
    assert result.stderr.splitlines()[0] == (
        f"{content}/help/latin.md:5: the file must be text in UTF-8, not bytes in another encoding"
    )


def test_a_missing_content_folder_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["check", "--content", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "must be a folder such as content, not missing" in result.stderr


def test_a_link_to_what_is_not_published_yet_is_refused(small: Callable[..., Path]) -> None:
    content = small(
        {
            "help/soon.md": "---\ntitle: Soon\npublish_at: 2030-01-01T08:00:00-07:00\n---\n",
            "help/now.md": "---\ntitle: Now\n---\n\nSee [soon](soon.md).\n",
        }
    )
    before = CliRunner().invoke(
        main, ["check", "--content", str(content), "--now", "2029-12-31T00:00:00+00:00"]
    )
    after = CliRunner().invoke(
        main, ["check", "--content", str(content), "--now", "2030-01-02T00:00:00+00:00"]
    )
    assert before.stderr.splitlines()[0] == (
        f"{content}/help/now.md:5: the link must lead to a page that is published, not 'soon.md'"
    )
    assert after.exit_code == 0


def test_what_points_at_a_broken_file_is_not_blamed_for_it(small: Callable[..., Path]) -> None:
    content = small(
        {
            "index.md": None,
            "help/links.md": (
                "---\ntitle: Links\n---\n\n[a](start.md) [b](/help/start/) {{ rules.renewal }}"
                " [c](/releases/works/1.0/)\n"
            ),
            "help/start.md": "No front matter.\n",
            "releases/works/1.0.md": "---\nversion: 1.0\nreleased: never\nkind: version\n---\n",
            "releases/works/2.0.md": (
                "---\nversion: 2.0\nreleased: 2025-02-28\nkind: version\nafter: 1.0\n---\n"
            ),
            "releases/works/index.md": "---\ntitle: Works\n---\n",
            "policy/support.md": "---\ntitle: Policy\n---\n",
            "defects/WK-1.md": "---\ntitle: D\nproduct: works\nfound_in: [1.0]\n---\n",
            "events/day.md": "---\ntitle: Day\n---\n",
            "papers/p.md": (
                "---\ntitle: P\ndate: 2026-01-01\nauthors: [{name: A}]\nabstract: B\nevent: day\n"
                "features: [works/1.0]\n---\n"
            ),
        }
    )
    (content / "index.md").write_text("---\ntitle: Home\nvendor: {name: V, url: 'https://v.example/'}\n---\n")

    result = CliRunner().invoke(main, ["check", "--content", str(content)])

    blamed = {line.removeprefix(f"{content}/").partition(":")[0] for line in result.stderr.splitlines()[:-1]}
    assert blamed == {
        "help/start.md",
        "releases/works/1.0.md",
        "releases/works/index.md",
        "policy/support.md",
        "events/day.md",
    }


def check(content: Path) -> list[str]:
    result = CliRunner().invoke(main, ["check", "--content", str(content)])
    assert result.exit_code == 1
    return [line.removeprefix(f"{content}/") for line in result.stderr.splitlines()[:-1]]


def test_links_in_a_circle_are_named_and_a_link_to_nowhere_is_no_file(small: Callable[..., Path]) -> None:
    content = small()
    (content / "help/nowhere.md").symlink_to("gone.md")
    (content / "help/itself.md").symlink_to("itself.md")
    (content / "help/up").symlink_to("..")
    (content / "one").mkdir()
    (content / "two").mkdir()
    (content / "one/there").symlink_to("../two")
    (content / "two/back").symlink_to("../one")
    to_a_folder = "the link must lead to a file or folder, not to a folder that it lies in"
    assert check(content) == [
        "help/itself.md:1: the link must lead to a file or folder, not in a circle",
        f"help/up:1: {to_a_folder}",
        f"one/there/back:1: {to_a_folder}",
        f"two/back/there:1: {to_a_folder}",
    ]


def test_names_that_cannot_be_published_are_named(small: Callable[..., Path]) -> None:
    content = small()
    (content / "help" / f"{'n' * 201}.txt").write_text("x")
    (content / "help" / "two\nlines.txt").write_text("x")
    Path(os.fsdecode(os.fsencode(content) + b"/help/gr\xfcn.txt")).write_text("x")
    assert check(content) == [
        "help/gr?n.txt:1: the name must be text in UTF-8, not bytes in another encoding",
        f"help/{'n' * 201}.txt:1: the name must have at most 200 bytes, not 205",
        "help/two?lines.txt:1: the name must be one line without control characters",
    ]
