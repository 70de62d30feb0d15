"""What a gain in accuracy consists of, question by question.

A reply that could be read is worth what a guess is worth, and whatever it is right beyond that. With c for right (1 or
0), r for read and h for the item's chance, c = h r + (c - h r), since nothing unread is right. The difference of after
and before is then, of each item and without a remainder:

    c' - c = h (r' - r)                                  fewer unread: replies newly read, each worth a guess
           + r c' - r' c                                 right: of replies read both times, more of them right
           + (1 - r)(c' - h r') - (1 - r')(c - h r)      newly: right beyond a guess where only one of the two was read

For single replies the three factors pick out the items read both times, newly read and newly unread; of an item asked
several times c and r are shares, and the identity is the mean over all pairs of a run before and a run after. It is
ours, not Kitagawa's (1955, "Components of a difference between two rates", JASA 50, as in `globmed.stats.gap_parts`):
pairs of the same item need no weights, and a learnt answer format is credited with no more than a guess.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from globmed.core.errors import UsageError
from globmed.stats.intervals import Floats

# Shares of runs are right to this.
ROUNDING = 1e-12


def gain_parts(
    base: ArrayLike, base_read: ArrayLike, tuned: ArrayLike, tuned_read: ArrayLike, chance: ArrayLike
) -> Floats:
    """Return the three parts of each item's gain: fewer unread, right of those read both times, newly.

    Args:
        base: [n], share of an item's replies that were right before; 1 or 0 of a single one.
        base_read: [n], share of them that could be read.
        tuned: [n], likewise after.
        tuned_read: [n], likewise.
        chance: [n], share of items like each that a guess gets right.

    Returns:
        [n, 3]; each row sums to tuned - base.

    Raises:
        UsageError: arrays of different length, a value outside 0..1, or a right answer that was not read.
    """
    given = [np.asarray(column, dtype=np.float64) for column in (base, base_read, tuned, tuned_read, chance)]
    if any(column.shape != given[0].shape or column.ndim != 1 for column in given):
        raise UsageError(f"found shapes {', '.join(str(column.shape) for column in given)}; expected all of one [n]")
    right, read, right_after, read_after, guess = given
    inside = all(((column >= 0) & (column <= 1)).all() for column in given)
    if not inside or (right > read + ROUNDING).any() or (right_after > read_after + ROUNDING).any():
        raise UsageError("shares right, shares read and chances lie in 0..1, and no reply is right that was not read")
    fewer_unread = guess * (read_after - read)
    right_both = read * right_after - read_after * right
    newly = (1 - read) * (right_after - guess * read_after) - (1 - read_after) * (right - guess * read)
    return np.column_stack([fewer_unread, right_both, newly])
