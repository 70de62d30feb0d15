"""What was read from a reply."""

from __future__ import annotations

from typing import Literal

import msgspec

ReadingStatus = Literal["read", "unread", "refused", "several", "empty"]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The final answer of a reply, or why there is none.

    Attributes:
        letter: the option's letter, A to J, or None.
        status: `read` where there is a letter; `unread` where no rule found one; `refused` where the reply declines;
            `several` where it names more than one option; `empty` where there is nothing to read.
        rule: the rule that decided.
    """

    letter: str | None
    status: ReadingStatus
    rule: str

    def __post_init__(self) -> None:
        """A letter and the status `read` come together."""
        assert (self.letter is not None) == (self.status == "read"), self
