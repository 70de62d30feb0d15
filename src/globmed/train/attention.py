"""Attention for examples packed into one row: each sees itself alone, and no work goes to what it must not see.

A row of T tokens passes through all linear layers as it is. Only in attention are its examples set side by side, those
of like length together, padded to the longest of them: the cost is that of the examples' own squares, not of the row's,
and one cannot see another whatever the mask. Registered with transformers under `NAME`; works wherever
`scaled_dot_product_attention` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface

NAME = "globmed_packed"


def layout(lengths: Sequence[int]) -> list[torch.Tensor]:
    """Lay out the examples that stand one after the other in a row of T tokens.

    Args:
        lengths: tokens of each example, in their order in the row.

    Returns:
        First [T], for each token of the row its place among the tokens of the groups that follow, one group after the
        other. Then for each group of examples of like length [examples, longest], places of their tokens in the row;
        what pads the shorter ones points at their first token. A plain list, which any trainer moves to any device.
    """
    starts = [sum(lengths[:place]) for place in range(len(lengths))]
    groups: dict[int, list[int]] = {}
    for place, length in enumerate(lengths):
        # Up to the next power of two, so that padding takes less than half.
        groups.setdefault(max(length - 1, 1).bit_length(), []).append(place)
    gather = []
    back = torch.empty(sum(lengths), dtype=torch.long)
    before = 0
    for members in groups.values():
        longest = max(lengths[place] for place in members)
        places = torch.tensor([starts[place] for place in members]).unsqueeze(1).repeat(1, longest)
        for row, place in enumerate(members):
            own = torch.arange(lengths[place])
            places[row, : lengths[place]] += own
            back[starts[place] : starts[place] + lengths[place]] = before + row * longest + own
        gather.append(places)
        before += places.numel()
    return [back, *gather]


def packed_attention(
    _module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,  # noqa: ARG001 - the interface's signature
    *,
    packed_rows: Sequence[torch.Tensor],
    scaling: float | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within each example of one row, causally.

    Args:
        _module: the attention layer.
        query: [1, heads, T, width].
        key: [1, key heads, T, width].
        value: likewise.
        attention_mask: not looked at.
        packed_rows: the row's `layout`.
        scaling: of the scores.
        sliding_window: tokens that a token sees, itself among them; None for all before it.

    Returns:
        [1, T, heads, width], and no weights.
    """
    grouped = query.shape[1] != key.shape[1]
    found = []
    back, *groups = packed_rows
    for places in groups:
        q, k, v = (one[0][:, places].transpose(0, 1) for one in (query, key, value))
        mask = _window(places.shape[1], sliding_window, q.device)
        out = scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=mask is None, scale=scaling, enable_gqa=grouped
        )
        found.append(out.transpose(1, 2).flatten(0, 1))
    return torch.cat(found)[back].unsqueeze(0), None


def _window(longest: int, sliding_window: int | None, device: torch.device) -> torch.Tensor | None:
    if sliding_window is None or longest <= sliding_window:
        return None
    at = torch.arange(longest, device=device)
    behind = at[:, None] - at[None, :]
    return (behind >= 0) & (behind < sliding_window)


def _no_mask(*_: Any, **__: Any) -> None:
    """Tell transformers to build no mask."""


def register() -> None:
    """Make `NAME` an attention implementation of transformers."""
    AttentionInterface.register(NAME, packed_attention)
    AttentionMaskInterface.register(NAME, _no_mask)
