"""Files that came to the file store past the desk: each is shown on its ticket once all of it is there.

A browser sends a file straight to S3, which tells nobody. So a ticket that is read, and the worker, ask what
has arrived since. Asking twice, or at the same time, changes nothing more. Speaks to no store itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.ports import ArrivedUpload, Files
from chalicelib.refusals import NotStored, Refused


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """`attach` shows a file on its ticket, or raises why not."""

    files: Files
    attach: Callable[[ArrivedUpload], object]

    def note(self, ticket: str = "") -> int:
        """Note what has arrived for one ticket, or for all; how many files were looked at.

        A file that its ticket cannot take (it holds too many, it has no name) is taken away. Raises
        NotStored; then what was not noted is there the next time.
        """
        seen = 0
        for arrived in self.files.arrived(ticket):
            seen += 1
            try:
                self.attach(arrived)
            except NotStored:
                raise
            except Refused:
                pass
            self.files.settled(arrived)
        return seen
