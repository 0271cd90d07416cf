"""Values with fields that stay folded up until somebody asks for one of them."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, ClassVar


class Folding:
    """Fields that are large and seldom looked at, folded up until somebody asks for one of them.

    Of thousands of remembered items a build after an edit looks at few: to unfold all would take longer than
    all else that is read.
    """

    __slots__ = ("_folded",)
    FOLDED: ClassVar[tuple[str, ...]] = ()

    def folded(self) -> bytes:
        """The fields that are named in FOLDED, as `fold` takes them; nothing where none is."""
        if not self.FOLDED:
            return b""
        held: bytes | None = getattr(self, "_folded", None)
        return held or pickle.dumps(
            tuple(getattr(self, name) for name in self.FOLDED), pickle.HIGHEST_PROTOCOL
        )

    def fold(self, fields: bytes) -> None:
        """Give a new item its fields; they are unfolded when one is asked for."""
        object.__setattr__(self, "_folded", fields)

    if not TYPE_CHECKING:  # which knows every field as it is

        def __getattr__(self, name: str) -> object:
            if name not in type(self).FOLDED:
                raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
            fields = pickle.loads(object.__getattribute__(self, "_folded"))  # noqa: S301 (as memory's)
            for field, value in zip(type(self).FOLDED, fields, strict=True):
                object.__setattr__(self, field, value)
            return object.__getattribute__(self, name)
