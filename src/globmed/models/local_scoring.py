"""Likelihoods of texts after their prompts, where all texts of one prompt share one pass over it.

    prompts, longest first -> batches -> a pass: logits of the last position, keys and values
                                                   |                            |
             first token of every text <-----------+                            +-> repeated for every text,
                                                                                    a pass: its other tokens

Letters are one token and need no second pass. Names of tensors end in their dimensions: b prompts, t texts of several
tokens, l tokens, v vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from globmed.models.tokens import Pair

if TYPE_CHECKING:
    import torch

TOKENS_PER_BATCH = 8192
# A position whose logits are kept holds memory as a token does for every so many entries of the vocabulary.
_VOCABULARY_PER_TOKEN = 2**15

T = TypeVar("T")


class _Text(NamedTuple):
    """What is left of a pair after the stem; the first `unscored` tokens of it are still the prompt's."""

    place: int
    ids: tuple[int, ...]
    unscored: int


class _Stem(NamedTuple):
    """Tokens that begin several pairs, and what follows in each."""

    ids: tuple[int, ...]
    texts: list[_Text]


class Padded(NamedTuple):
    """Rows of tokens brought to one length on the left."""

    ids_bl: torch.Tensor
    mask_bl: torch.Tensor
    positions_bl: torch.Tensor


class Scorer:
    """Log-likelihoods under one network."""

    def __init__(self, network: Any, *, pad: int) -> None:
        """Take a transformers causal language model in evaluation mode, and the token to pad with."""
        self._network, self._pad = network, pad

    @cached_property
    def shares_prompts(self) -> bool:
        """Whether what a pass leaves behind can be repeated and gone on from: keys and values, and nothing else.

        Layers with a state of their own (Mamba, linear attention) take further tokens one by one, or not at all.
        """
        import torch
        from transformers.cache_utils import DummyLayer, DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

        ids_bl = torch.full((1, 1), self._pad, device=self._network.device)
        with torch.inference_mode():
            out = self._network(input_ids=ids_bl, attention_mask=torch.ones_like(ids_bl), use_cache=True)
        cache = getattr(out, "past_key_values", None)
        known = {DynamicLayer, DynamicSlidingWindowLayer, DummyLayer}
        return type(cache) is DynamicCache and {type(layer) for layer in cache.layers} <= known

    def likelihoods(self, groups: Sequence[Sequence[Pair]], *, tokens: int = TOKENS_PER_BATCH) -> list[list[float]]:
        """Return, for the pairs of each group, the natural logarithm of the answer's probability given the prompt.

        Args:
            groups: the pairs of one group have one prompt.
            tokens: at most so many are held at once, padding and repeated prompts included; a single row may be longer.
        """
        import torch

        scores = [0.0] * sum(map(len, groups))
        with torch.inference_mode():
            for stems in token_batches(_stems(groups), width=lambda stem: len(stem.ids), tokens=tokens):
                for place, score in self._scores(stems, tokens):
                    scores[place] += score
        each = iter(scores)
        return [[next(each) for _ in group] for group in groups]

    def _scores(self, stems: Sequence[_Stem], tokens: int) -> Iterator[tuple[int, float]]:
        """Yield scores and the places to add them at."""
        longer = [(row, text) for row, stem in enumerate(stems) for text in stem.texts if len(text.ids) > 1]
        share = bool(longer) and self.shares_prompts
        padded = self._padded([stem.ids for stem in stems])
        out = self._run(padded, use_cache=share, logits_to_keep=1)
        logits_bv = out.logits[:, -1]
        yield from _first_tokens(stems, logits_bv)
        vocabulary, length = int(logits_bv.shape[1]), padded.ids_bl.shape[1]

        def width(one: tuple[int, _Text]) -> int:
            columns = len(one[1].ids) - 1
            return max(length + columns, columns * vocabulary // _VOCABULARY_PER_TOKEN)

        for rows in token_batches(longer, width=width, tokens=tokens):
            if share:
                yield from _other_tokens(rows, self._go_on(rows, padded, out.past_key_values), at_right=False)
            else:
                yield from _other_tokens(rows, self._start_over(rows, stems), at_right=True)

    def _go_on(self, rows: Sequence[tuple[int, _Text]], padded: Padded, cache: Any) -> torch.Tensor:
        """Return the logits of all texts' tokens, on the keys and values of their stems."""
        import torch

        where = self._network.device
        stem_t = torch.tensor([row for row, _ in rows], device=where)
        columns = max(len(text.ids) for _, text in rows) - 1
        # What pads a text on the right comes after all that is read; its places must only be such as the network knows.
        ids_tl = [[*text.ids[:-1], *[self._pad] * (columns + 1 - len(text.ids))] for _, text in rows]
        places_tl = [[min(place, len(text.ids) - 1) for place in range(1, columns + 1)] for _, text in rows]
        mask_tl = torch.nn.functional.pad(padded.mask_bl[stem_t], (0, columns), value=1)
        positions_tl = padded.positions_bl[stem_t, -1:] + torch.tensor(places_tl, device=where)
        following = Padded(torch.tensor(ids_tl, device=where), mask_tl, positions_tl)
        logits_tlv: torch.Tensor = self._run(following, past_key_values=_repeated(cache, stem_t), use_cache=True).logits
        return logits_tlv

    def _start_over(self, rows: Sequence[tuple[int, _Text]], stems: Sequence[_Stem]) -> torch.Tensor:
        """Return the same from whole sequences, each with its stem."""
        columns = max(len(text.ids) for _, text in rows) - 1
        padded = self._padded([stems[row].ids + text.ids[:-1] for row, text in rows])
        logits_tlv: torch.Tensor = self._run(padded, use_cache=False, logits_to_keep=columns).logits
        return logits_tlv

    def _padded(self, rows: Sequence[Sequence[int]]) -> Padded:
        return left_padded(rows, pad=self._pad, device=self._network.device)

    def _run(self, padded: Padded, **more: Any) -> Any:
        return self._network(
            input_ids=padded.ids_bl, attention_mask=padded.mask_bl, position_ids=padded.positions_bl, **more
        )


def tokens_read(pairs: Sequence[Pair]) -> int:
    """Return the number of tokens in pairs of one prompt, those that they share counted once."""
    shared = _shared(pairs)
    return shared + sum(len(pair.ids) - shared for pair in pairs)


def left_padded(rows: Sequence[Sequence[int]], *, pad: int, device: torch.device) -> Padded:
    """Bring rows of tokens to one length, so that all end at the same place."""
    import torch

    width = max(map(len, rows))
    ids_bl = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows])
    mask_bl = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    positions_bl = (mask_bl.cumsum(-1) - 1).clamp(min=0)
    return Padded(ids_bl.to(device), mask_bl.to(device), positions_bl.to(device))


def token_batches(rows: Iterable[T], *, width: Callable[[T], int], tokens: int = TOKENS_PER_BATCH) -> Iterator[list[T]]:
    """Cut rows, widest first, into batches that hold at most `tokens` tokens when all are padded to the widest."""
    batch: list[T] = []
    for row in sorted(rows, key=width, reverse=True):
        if batch and width(batch[0]) * (len(batch) + 1) > tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _shared(pairs: Sequence[Pair]) -> int:
    """Return how many tokens before the answers all pairs have in common."""
    fewest = min(pair.before for pair in pairs)
    return fewest if len({pair.ids[:fewest] for pair in pairs}) == 1 else 0


def _stems(groups: Sequence[Sequence[Pair]]) -> Iterable[_Stem]:
    """Put together what begins alike; pairs without an answer are left out."""
    stems: dict[tuple[int, ...], _Stem] = {}
    places = count()
    for group in groups:
        shared = _shared(group)
        for pair, place in zip(group, places, strict=False):
            # Where even the first token differs, each pair has a stem of its own.
            cut = shared or pair.before
            if pair.before < len(pair.ids):
                stem = stems.setdefault(pair.ids[:cut], _Stem(pair.ids[:cut], []))
                stem.texts.append(_Text(place, pair.ids[cut:], pair.before - cut))
    return stems.values()


def _first_tokens(stems: Sequence[_Stem], logits_bv: torch.Tensor) -> Iterator[tuple[int, float]]:
    logprobs_bv = logits_bv.float().log_softmax(-1)
    firsts = [(row, text) for row, stem in enumerate(stems) for text in stem.texts if not text.unscored]
    rows, tokens = [row for row, _ in firsts], [text.ids[0] for _, text in firsts]
    for (_, text), score in zip(firsts, logprobs_bv[rows, tokens].tolist(), strict=True):
        yield text.place, score


def _other_tokens(
    rows: Sequence[tuple[int, _Text]], logits_tlv: torch.Tensor, *, at_right: bool
) -> Iterator[tuple[int, float]]:
    """Yield scores of all tokens but each text's first, and their places."""
    import torch

    picked: list[tuple[int, int, int]] = []
    for row, (_, text) in enumerate(rows):
        begin = logits_tlv.shape[1] - len(text.ids) + 1 if at_right else 0
        picked += [(row, begin + index - 1, text.ids[index]) for index in range(max(text.unscored, 1), len(text.ids))]
    at_t, at_l, targets = torch.tensor(picked, device=logits_tlv.device).T
    losses = torch.nn.functional.cross_entropy(logits_tlv[at_t, at_l].float(), targets, reduction="none")
    for (row, _, _), loss in zip(picked, losses.tolist(), strict=True):
        yield rows[row][1].place, -loss


def _repeated(cache: Any, rows: torch.Tensor) -> Any:
    """Return the keys and values of these rows; the cache itself stays as it is."""
    repeated = copy.copy(cache)
    repeated.layers = [copy.copy(layer) for layer in cache.layers]
    repeated.reorder_cache(rows)
    return repeated
