"""Import: archives of other programs become content; what is not understood is told, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bindery import binding, write
from bindery.cli import main
from bindery.incoming import intake, mapping

Write = Callable[..., Path]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PICTURE = b"\x89PNG\r\n\x1a\n not read by anybody"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache stands in the working folder, and the archive in `old`."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def archive(files: dict[str, str | bytes]) -> None:
    for path, text in files.items():
        target = Path("old") / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())


def brought(content: Path, *words: str, code: int = 0) -> tuple[list[str], list[str]]:
    """(lines of the summary, lines of what needs a look) of an import of `old`."""
    result = CliRunner().invoke(main, ["import", "old", "--content", str(content), *words])
    assert result.exit_code == code, result.output
    return result.stdout.splitlines(), result.stderr.splitlines()


def front(path: Path) -> list[str]:
    return path.read_text("utf-8").split("---\n")[1].splitlines()


def body(path: Path) -> str:
    return path.read_text("utf-8").split("---\n", 2)[2].strip("\n")


def test_jekyll_posts_keep_dates_addresses_links_code_and_pictures(small: Write) -> None:
    content = small()
    archive(
        {
            "_posts/2016-05-01-spring-2016.md": """---
layout: post
title: "Spring: what's new"
date: 2016-05-01 23:30:00 -0700
tags: a b
permalink: /news/2016/spring.html
excerpt: A <em>look</em> at spring.
---
# Spring: what's new

After {% post_url 2016-11-01-autumn %} read [autumn]({{ site.baseurl }}/2016/11/01/autumn.html).

![Map]({{ "/images/map.png" | relative_url }} "A map")

{% highlight python %}
print("{{ not a tag }}")
{% endhighlight %}

`{{ code }}` stays code.
""",
            "_posts/2016-11-01-autumn.markdown": "---\ntitle: Autumn\npublished: true\n---\nIt is here.\n",
            "_drafts/2017-01-01-idea.md": "---\ntitle: An idea\n---\n[Spring](/news/2016/spring.html).\n",
            "images/map.png": PICTURE,
            "_layouts/post.md": "{{ content }}",
            "Gemfile": "source",
        }
    )
    told, looks = brought(content, "--as", "issue")
    assert looks == []
    assert told == [
        f"Imported 3 issues to {content}/newsletter.",
        "1 picture or attachment with them.",
        "'tags' has no counterpart and is not kept: 1 file, _posts/2016-05-01-spring-2016.md.",
        "1 other file that no text shows stayed: Gemfile.",
        "Look at it with: bindery preview",
    ]
    made = content / "newsletter/spring-2016.md"
    assert front(made) == [
        'title: "Spring: what\'s new"',
        "summary: A look at spring.",
        "date: 2016-05-01",
        "redirect_from:",
        '  - "news/2016/spring.html/"',
    ]
    assert body(made) == (
        "After [2016-11-01-autumn](autumn.md) read [autumn](autumn.md).\n\n"
        '![Map](images/map.png "A map")\n\n'
        '```python\nprint("{{ not a tag }}")\n```\n\n'
        "`{{ code }}` stays code."
    )
    assert (content / "newsletter/images/map.png").read_bytes() == PICTURE
    assert front(content / "newsletter/autumn.md") == ["title: Autumn", "date: 2016-11-01"]
    assert front(content / "newsletter/idea.md") == ["title: An idea", "date: 2017-01-01", "draft: true"]
    assert binding.check(content, now=NOW)


def test_hugo_releases_in_toml_json_and_bundles_keep_their_numbers_as_written(small: Write) -> None:
    content = small()
    archive(
        {
            "content/posts/works-2.10.md": """+++
title = "Works 2.10 released"
date = 2025-06-28T10:00:00-07:00
version = 2.10
weight = 7
aliases = ["/old/210/"]
security = ["CVE-2025-0994"]
+++

### Bug Fixes

* [WK-7] Something is fixed
* WK-8 - See [the one before]({{< ref "first.md" >}})
* UTF-8 is used
* [WK-7] came back
![lost](/img/none.png)

### Enhancements

- **Faster.**

{{< figure src="/img/shot.png" alt="A shot" caption="The shot" >}}
""",
            "content/posts/first.md": '{\n "title": "Works v0.9", "date": "2014-03-02"}\n# Changed\n\nText\n',
            "content/posts/works-1.0.1/index.md": "---\ndate: 2024-02-02\n---\n![x](pic.png)\n",
            "content/posts/works-1.0.1/pic.png": PICTURE,
            "static/img/shot.png": PICTURE,
        }
    )
    told, looks = brought(content, "--as", "release", "--to", "works")
    assert looks == [
        "old/content/posts/works-2.10.md:16: the link to '/img/none.png' leads nowhere here; its text stays, "
        "without a link"
    ]
    assert told == [
        f"Imported 3 releases to {content}/releases/works.",
        "2 pictures and attachments with them.",
        "1 place in the texts could not be kept unchanged: see above.",
        "By their numbers alone taken as versions, each with a life cycle: 0.9, 2.10.",
        "By their numbers alone taken as updates: 1.0.1 of 1.0.",
        "Dates of support follow from that, so look: bindery explain works 2.10",
        "Look at it with: bindery preview",
    ]
    made = content / "releases/works/2.10.md"
    assert front(made) == [
        'version: "2.10"',
        "released: 2025-06-28",
        "kind: version",
        "security:",
        '  - "CVE-2025-0994"',
        "redirect_from:",
        '  - "old/210/"',
    ]
    assert body(made) == (
        "## Fixed\n\n* WK-7: Something is fixed\n* WK-8: See [the one before](0.9.md)\n* UTF-8 is used\n"
        "* WK-7 came back\nlost\n\n"
        '## New\n\n- **Faster.**\n\n![A shot](img/shot.png "The shot")'
    )
    assert body(content / "releases/works/0.9.md") == "## Changed\n\nText"
    library = binding.check(content, now=NOW)
    release = library.release("works", "2.10")
    assert release is not None
    assert [(entry.id, entry.section) for entry in release.entries] == [("WK-7", "Fixed"), ("WK-8", "Fixed")]
    update = library.release("works", "1.0.1")
    assert update is not None
    assert (update.release_kind, update.of) == ("update", "1.0")


def test_pelican_papers_are_read_with_and_without_fences(small: Write) -> None:
    content = small()
    archive(
        {
            "pipes.md": "Title: Pipes: a study\nDate: 2010-12-03 10:20\nAuthors: A. One, B. Two\nTags: x, y\n"
            "Summary: We show\n    a thing.\nStatus: draft\n\nBody with [the other]({filename}b.md).\n",
            "b.md": "---\nTitle: Other: thing\nDate: December 3, 2011\nAuthor: One, A.; Two, B.\n"
            "Abstract: Short.\n---\n\nBody.\n",
        }
    )
    told, looks = brought(content, "--as", "paper")
    assert (told[0], looks) == (f"Imported 2 papers to {content}/papers.", [])
    assert front(content / "papers/pipes.md") == [
        'title: "Pipes: a study"',
        "summary: We show a thing.",
        "date: 2010-12-03",
        "authors:",
        '  - {"name": "A. One"}',
        '  - {"name": "B. Two"}',
        "abstract: We show a thing.",
        "keywords:",
        '  - "x"',
        '  - "y"',
        "draft: true",
    ]
    assert body(content / "papers/pipes.md") == "Body with [the other](b.md)."
    assert front(content / "papers/b.md") == [
        'title: "Other: thing"',
        "abstract: Short.",
        "date: 2011-12-03",
        "authors:",
        '  - {"name": "A. One"}',
        '  - {"name": "B. Two"}',
    ]


def test_plain_pages_keep_their_folders_and_one_title_each(small: Write) -> None:
    content = small()
    archive(
        {
            "Getting Started.md": "Getting started\n===============\n\n"
            "Read [more](Sub%20Folder/more.md#the-end).\n\n# Again\n\nText\n",
            "Sub Folder/more.md": "# More\n\n## The end\n\nBack to [start](../Getting%20Started.md#nope).\n",
            "README.md": "# Read me\n\nHi\n",
        }
    )
    told, looks = brought(content, "--as", "page", "--to", "help/guides")
    assert (told[0], looks) == (f"Imported 3 pages to {content}/help/guides.", [])
    guides = content / "help/guides"
    assert front(guides / "getting-started.md") == ["title: Getting started"]
    assert (
        body(guides / "getting-started.md") == "Read [more](sub-folder/more.md#the-end).\n\n## Again\n\nText"
    )
    # A heading that is not there is no place to lead to; its page is.
    assert body(guides / "sub-folder/more.md") == "## The end\n\nBack to [start](../getting-started.md)."
    assert front(guides / "index.md") == ["title: Read me"]


def test_what_is_not_understood_is_told_with_its_line_and_the_rest_is_imported(small: Write) -> None:
    content = small()
    archive(
        {
            "mixed.md": "---\ntitle: Good\ndate: 2016-05-01\n---\n[gone](/nowhere/) and {% include x.html %}"
            "\n<script>alert(1)</script>\n",
            "nodate.md": "No field at all.\n",
            "ambiguous.md": "---\ntitle: When\ndate: 05/01/2016\n---\n",
            "bytes.md": b"---\ntitle: Bad \xe9\n---\n",
            "yaml.md": "---\ntitle: [\n---\n",
            "list.md": "---\n- a\n---\n",
            "toml.md": "+++\ndate = 2016-13-01\n+++\n",
            "json.md": '{"title": \n\n',
            "spring.md": "---\ntitle: Spring\ndate: 2016-05-01\n---\n",
            "again/good.md": "---\ntitle: Good too\ndate: 2016-05-02\n---\n",
            "good/good.md": "---\ntitle: Good again\ndate: 2016-05-02\n---\n",
            "third/good.md": "---\ntitle: Good three\ndate: 2016-05-02\n---\n",
        }
    )
    told, looks = brought(content, "--as", "issue")
    wanted = "neither the front matter nor the file's name tells it"
    assert looks == [
        "old/mixed.md:5: '{% include x.html %}' means nothing here; it stays in the text, as code",
        "old/mixed.md:5: the link to '/nowhere/' leads nowhere here; its text stays, without a link",
        "old/mixed.md:6: <script> is not taken over: pages here run nothing of their own",
        "old/ambiguous.md:3: 'date' must be a date such as 2025-01-29, not '05/01/2016'",
        "old/bytes.md:2: the file must be text in UTF-8, not bytes in another encoding",
        "old/json.md:3: the front matter must be JSON that can be read: Expecting value",
        "old/list.md:2: the front matter must be fields such as 'title: …', not a list or a bare text",
        f"old/nodate.md:1: 'date' must be there, such as 2025-01-29: {wanted}",
        "old/spring.md:1: newsletter/spring.md is there already and is not overwritten",
        "old/third/good.md:1: the file must have a name of its own; good/good.md becomes "
        "newsletter/2016-05-02-good.md too",
        "old/toml.md:2: the front matter must be TOML that can be read: Expected newline or end of document "
        "after a statement (at line 1, column 12)",
        "old/yaml.md:3: the front matter must be YAML that can be read: did not find expected node content",
    ]
    assert told == [
        f"Imported 3 issues to {content}/newsletter.",
        "9 files were not understood and left out: see above.",
        "3 places in the texts could not be kept unchanged: see above.",
        "Look at it with: bindery preview",
    ]
    assert body(content / "newsletter/mixed.md") == "gone and `{% include x.html %}`"
    assert sorted(path.name for path in (content / "newsletter").iterdir()) == [
        "2016-05-02-good.md",
        "good.md",
        "mixed.md",
        "spring.md",
    ]
    assert binding.check(content, now=NOW)


def test_importing_again_changes_nothing(small: Write) -> None:
    content = small()
    archive({"2016-05-01-a.md": "A\n", "2016-05-02-b.md": "B\n"})
    brought(content, "--as", "issue")
    before = {path: path.read_bytes() for path in content.rglob("*.md")}
    told, looks = brought(content, "--as", "issue", code=1)
    assert told[0] == f"Imported 0 issues to {content}/newsletter."
    assert looks == [
        "old/2016-05-01-a.md:1: newsletter/a.md is there already and is not overwritten",
        "old/2016-05-02-b.md:1: newsletter/b.md is there already and is not overwritten",
    ]
    assert {path: path.read_bytes() for path in content.rglob("*.md")} == before


def test_a_dry_run_tells_the_same_and_writes_nothing(small: Write) -> None:
    content = small()
    archive({"2016-05-01-a.md": "A [b](x.md)\n"})
    before = sorted(content.rglob("*"))
    dry, looks = brought(content, "--as", "issue", "--dry-run")
    assert dry == [
        f"Would import 1 issue to {content}/newsletter.",
        "1 place in the texts could not be kept unchanged: see above.",
    ]
    assert sorted(content.rglob("*")) == before
    assert brought(content, "--as", "issue")[1] == looks


def test_the_answer_as_json_names_every_file(small: Write) -> None:
    content = small()
    archive({"works-3.0.md": "---\ndate: 2025-05-01\nmood: good\n---\n", "x.md": "?"})
    told, _ = brought(content, "--as", "release", "--to", "works", "--json")
    assert json.loads("\n".join(told)) == {
        "written": True,
        "imported": [{"from": "works-3.0.md", "to": "releases/works/3.0.md"}],
        "copied": [],
        "left": [
            {
                "path": "x.md",
                "line": 1,
                "message": "'released' must be there, such as 2025-01-29: neither the front matter nor the "
                "file's name tells it",
            },
            {
                "path": "x.md",
                "line": 1,
                "message": "'version' must be there, such as '23.10': neither the front matter nor the "
                "file's name tells it",
            },
        ],
        "remarks": [],
        "not_kept": {"mood": ["works-3.0.md"]},
        "kind_by_number": {"3.0": None},
        "other_files": [],
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--as", "release", "--to", "work"),
            "--to must be a product, one of works, not 'work'; "
            "a new one begins with: bindery new product NAME",
        ),
        (
            ("--as", "issue", "--to", "help"),
            "--to must be newsletter, or be left out, for --as issue, not 'help'",
        ),
        (("--as", "page"), "--to must be a folder of pages such as help or help/guides, not ''"),
        (
            ("--as", "page", "--to", "defects/x"),
            "--to must be a folder of pages such as help, not 'defects/x', which is for other kinds",
        ),
        (
            ("--as", "page", "--to", "../x"),
            "--to must be a folder of pages such as help or help/guides, not '../x'",
        ),
        (("--as", "issue"), "old must hold Markdown such as .md, .markdown files, and holds none"),
    ],
)
def test_an_order_that_cannot_be_is_refused_in_one_line(
    small: Write, words: tuple[str, ...], message: str
) -> None:
    Path("old").mkdir()
    assert brought(small(), *words, code=1) == ([], [f"Error: {message}"])


def test_a_new_product_begins_as_content_that_a_release_can_be_imported_to(small: Write) -> None:
    content = small()
    result = CliRunner().invoke(
        main, ["new", "product", "Store Room", "--content", str(content), "--site", str(SITE)]
    )
    assert result.exit_code == 0, result.output
    archive({"v1.2.md": "---\ndate: 2025-05-01\n---\n"})
    brought(content, "--as", "release", "--to", "store-room")
    library = binding.check(content, now=NOW)
    assert [library.name_of(one) for one in library.releases_of("store-room")] == ["Store Room 1.2"]


SITE = Path(__file__).resolve().parents[2] / "site"


@pytest.mark.parametrize(
    ("versions", "parts", "kinds"),
    [
        (["15.8", "15.8.8", "15.8.9"], None, {"15.8": "", "15.8.8": "15.8", "15.8.9": "15.8"}),
        (["1.2.0", "1.2.1", "1.3.0"], None, {"1.2.0": "", "1.2.1": "1.2.0", "1.3.0": ""}),
        (["23", "23.4", "23.14.1"], None, {"23": "", "23.4": "23", "23.14.1": "23"}),
        (["23", "23.4", "23.14.1", "23.14"], 2, {"23": "", "23.4": "", "23.14": "", "23.14.1": "23.14"}),
        (["15.8.8", "15.8.9"], None, {"15.8.8": "", "15.8.9": ""}),
        (["4", "4.1", "4.1.2"], None, {"4": "", "4.1": "4", "4.1.2": "4"}),
    ],
)
def test_numbers_tell_versions_from_updates(
    versions: list[str], parts: int | None, kinds: dict[str, str]
) -> None:
    assert mapping.kinds_by_number(versions, parts) == kinds


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("works-23.10", "23.10"),
        ("v1.2.3", "1.2.3"),
        ("2025-01-28-version-15.8.9", "15.8.9"),
        ("release_15_8_9", "15.8.9"),
        ("2.0-beta1", "2.0-beta1"),
        ("version 7", "7"),
        ("2015", "2015"),
        ("readme about 3 things", ""),
        ("2016-05-01-spring", ""),
    ],
)
def test_a_version_is_taken_from_the_name_of_a_file(small: Write, name: str, version: str) -> None:
    archive({f"{name}.md": "---\ndate: 2016-05-01\n---\n"})
    content = small()
    made = intake.take(Path("old"), kind="release", to="releases/works", content=content, now=NOW)
    assert list(made.files) == ([f"releases/works/{version}.md"] if version else [])


def test_what_is_odd_in_an_archive_does_no_harm(small: Write, tmp_path: Path) -> None:
    content = small()
    (tmp_path / "secret.md").write_text("---\ntitle: Secret\ndate: 2016-05-01\n---\n")
    archive(
        {
            "2016-05-01-" + "long" * 50 + ".md": "x",
            "2016-05-02-日本.md": "---\ntitle: 日本\n---\n",
            "crlf.md": b"\xef\xbb\xbf---\r\ntitle: Lines\r\ndate: 2016-05-03\r\n---\r\n# Lines\r\nText\r\n",
            "2016-05-04-html.md": "<a href=nowhere.md onclick='x()'>go</a> <img src=none.png onerror=x()>",
            "2016-05-05-deep.md": "[" * 5000 + ">" * 3000 + "[a](b c" * 5000,
            "2016-05-06-json.md": '{"a":' + "[" * 100_000,
        }
    )
    Path("old/2016-05-07-out.md").symlink_to(tmp_path / "secret.md")
    Path("old/circle").symlink_to(".")
    told, looks = brought(content, "--as", "issue")
    assert told[0] == f"Imported 4 issues to {content}/newsletter."
    inert = "is not taken over: pages here run nothing of their own"
    plain = "leads nowhere here; its text stays, without a link"
    assert looks == [
        f"old/2016-05-04-html.md:1: onclick {inert}",
        f"old/2016-05-04-html.md:1: onerror {inert}",
        f"old/2016-05-04-html.md:1: the link to 'none.png' {plain}",
        f"old/2016-05-04-html.md:1: the link to 'nowhere.md' {plain}",
        "old/2016-05-05-deep.md:1: the link to 'b' leads nowhere",
        "old/2016-05-06-json.md:1: the front matter must be JSON that can be read: it is nested too deep",
    ]
    assert sorted(path.name for path in (content / "newsletter").iterdir()) == [
        "2016-05-02.md",
        "crlf.md",
        "html.md",
        ("long" * 50)[:120] + ".md",
        "spring.md",
    ]
    assert body(content / "newsletter/crlf.md") == "Text"
    assert body(content / "newsletter/html.md") == "<a>go</a> "


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    content = tmp_path / "content"
    missing = tmp_path / "never.png"
    with pytest.raises(FileNotFoundError):
        write.begin_all(content, {"a/b.md": "one", "a/c.md": "two"}, {"a/d.png": missing})
    assert not content.exists()


PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "{{",
                "}}",
                "{% ",
                " %}",
                "{{< ",
                " >}}",
                "[a](",
                ")",
                "![",
                "](x.md)",
                '](/y/ "t")',
                "`",
                "```\n",
            ),
            *(
                "\n",
                "# H\n",
                "===\n",
                "---\n",
                '<a href="',
                '">',
                "[r]: /z\n",
                "[r]",
                "ref",
                ' "',
                "- CW-1: a\n",
            ),
            *(
                "## Fixed\n",
                "{filename}",
                "<script>",
                "<!--",
                "-->",
                "a",
                "é",
                "{: #b }",
                "post_url ",
                "[^1]: ",
            ),
            *("\t", "#", "<", "\\"),
        ]
    ),
    max_size=25,
).map("".join)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PIECES, PIECES, st.sampled_from(["release", "issue", "page"]))
def test_whatever_is_imported_passes_the_checks(
    small: Write, tmp_path: Path, first: str, second: str, kind: str
) -> None:
    content = tmp_path / "content"
    if not content.exists():
        content = small()
    archive({"2016-05-01-v3.1.md": f"---\ntitle: One\n---\n{first}", "2016-05-02-v3.2.md": second})
    to = {"release": "releases/works", "issue": "newsletter", "page": "help"}[kind]
    made = intake.take(Path("old"), kind=kind, to=to, content=content, now=NOW)
    write.begin_all(content, made.files, made.copies)
    try:
        assert binding.check(content, now=NOW)
    finally:
        for path in made.files:
            (content / path).unlink()
    assert len(made.files) + len({problem.path for problem in made.left}) == 2
