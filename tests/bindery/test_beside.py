"""Where a relative link leads is what POSIX paths say, however it is written."""

from __future__ import annotations

import posixpath

from hypothesis import given
from hypothesis import strategies as st

from bindery.library import beside

PARTS = st.sampled_from(["..", ".", "", "a", "b.md", "c.", "...", "x y"])


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=4), st.lists(PARTS, min_size=1, max_size=6))
def test_a_relative_link_means_what_posix_paths_mean(folders: list[str], parts: list[str]) -> None:
    path, target = "/".join([*folders, "page.md"]), "/".join(parts)
    expected = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    assert beside(path, target) == expected
