"""What the help pages show of `desk` are commands and options that it has, with values that it takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from desk.cli import main

HELP = Path(__file__).parents[2] / "content" / "help"
SHOWN = [
    (path.name, line)
    for path in sorted(HELP.glob("*.md"))
    for block in re.findall(r"^```sh\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if re.match(r"(\w+=\S+ )*desk ", line)
]


@pytest.mark.parametrize(("page", "line"), SHOWN)
def test_a_command_of_a_help_page_is_one(
    page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [word for word in shlex.split(line) if not re.fullmatch(r"[A-Z_]+=\S+", word)][1:]
    for at, word in enumerate(words):  # a file that a command reads is there when it is run
        if re.fullmatch(r"[\w/.-]+\.(csv|json|tar)", word):
            words[at] = word.lstrip("/").replace("/", "-")
            Path(words[at]).touch()
    command: click.Command = main
    context = click.Context(main, info_name="desk")
    while isinstance(command, click.Group):
        inner = command.get_command(context, words[0])
        assert inner is not None, f"{page}: {line}: {words[0]} is no command of {context.command_path}"
        command, words = inner, words[1:]
    command.make_context(command.name or "", words, parent=context)


def test_the_pages_show_some() -> None:
    assert len(SHOWN) > 15
