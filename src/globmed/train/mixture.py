"""Which examples a model learns from, and how often: a budget of tokens shared out over parts and languages.

What stands for training is refused where its question is held out for test (`choose`). What is left is drawn by
language (`draw`): in proportion to what there is, by temperature, or evenly, and no language oftener than its examples
bear repeating. The draw depends on the seed and the examples alone, never on how many processes train.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from zlib import crc32

import msgspec
import numpy as np

from globmed.core.errors import InputError, UsageError
from globmed.core.item import Item
from globmed.core.language import Tier, language

if TYPE_CHECKING:
    from numpy.typing import NDArray

Part = Literal["questions", "cross_lingual", "translation", "replay", "text"]
"""Kinds of examples: items as they are; asked in one language and answered in another; from one language into another;
general instructions; plain text."""

Method = Literal["proportional", "temperature", "unimax"]


class Sampling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How languages and parts share the budget: the table `[mixture]` of a recipe.

    Attributes:
        method: languages get tokens in proportion to what they have (n), to n ** (1 / temperature), or all alike.
        temperature: of that method; 1 is in proportion.
        max_epochs: no language is repeated oftener, by whatever method; what it leaves goes to the others. Up to 4
            epochs, repeated text is worth almost what new text is: Muennighoff et al. (2023), "Scaling
            data-constrained language models", NeurIPS, section 6.
        caps: at most so many questions of a source, drawn once, the same ones in all languages.
        cross_lingual: share of the tokens for questions in one language answered in another.
        translation: share for texts of questions to be translated from English, and into it.
        replay: share for general instructions, so that less is forgotten.
        text: share for plain text, learnt as in pre-training; 1 for a first stage of nothing else. Questions have what
            these four leave.
    """

    method: Method = "unimax"
    temperature: float = 1.0
    max_epochs: float = 4.0
    caps: dict[str, int] = {}
    cross_lingual: float = 0.0
    translation: float = 0.0
    replay: float = 0.0
    text: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what shares out nothing.

        Raises:
            InputError: a number out of its range, shares that leave none for questions, or a temperature that no
                method reads.
        """
        shares = (self.cross_lingual, self.translation, self.replay, self.text)
        wrong = [
            (self.temperature < 1, "temperature", self.temperature, "1 (in proportion) or more (flatter)"),
            (self.temperature != 1 and self.method != "temperature", "temperature", self.temperature, _NO_TEMPERATURE),
            (self.max_epochs <= 0, "max_epochs", self.max_epochs, "more than 0"),
            (min(self.caps.values(), default=1) < 1, "caps", self.caps, "at least one question of each source"),
            (min(shares) < 0 or self._too_much(sum(shares)), "shares", shares, _SHARES),
        ]
        for is_wrong, key, found, expected in wrong:
            if is_wrong:
                raise InputError.at(f"[mixture] {key}", found=str(found), expected=expected)

    @property
    def shares(self) -> dict[Part, float]:
        """Share of the tokens by part; those without any are left out."""
        parts: dict[Part, float] = {
            "cross_lingual": self.cross_lingual,
            "translation": self.translation,
            "replay": self.replay,
            "text": self.text,
        }
        rest: dict[Part, float] = {"questions": 1 - sum(parts.values())}
        return {part: share for part, share in (rest | parts).items() if share}

    def _too_much(self, given: float) -> bool:
        return given > 1 or (given == 1 and self.text < 1)


_SHARES = "0 or more each, less than 1 in all, or text = 1 alone"
_NO_TEMPERATURE = 'method = "temperature" where one is given'


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """All that may be drawn, n examples.

    Attributes:
        part: [n], one of `Part`.
        language: [n], BCP 47 codes; of a question asked across languages the one it is asked in, of a translation the
            one that is not English.
        tokens: [n], of the whole example.
    """

    part: NDArray[np.str_]
    language: NDArray[np.str_]
    tokens: NDArray[np.int64]


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one language gives to one part.

    Attributes:
        part: kind of examples.
        language: BCP 47 code.
        tier: its resource tier.
        examples: there are.
        tokens: they have.
        median_tokens: of an example, prompt and answer.
        longest_tokens: likewise; none is cut, and those longer than a row are left out and counted elsewhere.
        drawn: examples learnt from, repetitions counted.
        drawn_tokens: of these.
        epochs: drawn_tokens / tokens.
    """

    part: Part
    language: str
    tier: Tier
    examples: int
    tokens: int
    median_tokens: int
    longest_tokens: int
    drawn: int
    drawn_tokens: int
    epochs: float


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """What is learnt from.

    Attributes:
        order: [m], index of each example drawn, in the order it is learnt in.
        plan: by part and language.
    """

    order: NDArray[np.int64]
    plan: tuple[PlanRow, ...]


def choose(items: Iterable[Item], *, languages: Sequence[str] = (), sources: Sequence[str] = ()) -> list[Item]:
    """Return the train items of the given languages and sources (default: all), those blocked included.

    Raises:
        InputError: a train item belongs to a cluster that also has a test item, in whatever language.
        UsageError: there is no train item, or none in one of the languages.
    """
    every = list(items)
    held_out = {item.cluster for item in every if item.split == "test"}
    train = [item for item in every if item.split == "train"]
    for item in train:
        if item.cluster in held_out:
            raise InputError.at(
                f"{item.family} ({item.language})",
                found=f"a train item of cluster {item.cluster!r}, which is held out for test",
                expected="no cluster in both",
                remedy="Run `globmed data cluster` on the imported items and train on its output",
            )
    chosen = [
        item
        for item in train
        if (not languages or item.language in languages) and (not sources or item.source in sources)
    ]
    if not chosen:
        raise UsageError("the dataset has no train item in the chosen languages and sources")
    missing = set(languages) - {item.language for item in chosen}
    if missing:
        raise UsageError(f"the dataset has no train item in {', '.join(sorted(missing))}")
    return chosen


def capped(items: Sequence[Item], caps: Mapping[str, int], *, seed: int) -> list[Item]:
    """Keep at most so many questions of a source, the same ones in every language.

    Raises:
        UsageError: a source that has no item.
    """
    kept: dict[str, set[str]] = {}
    for source, most in caps.items():
        families = sorted({item.family for item in items if item.source == source})
        if not families:
            raise UsageError(f"[mixture] caps: no train item of {source!r}")
        kept[source] = set(_generator(seed, "cap", source).permutation(families)[:most].tolist())
    return [item for item in items if item.source not in kept or item.family in kept[item.source]]


def allocate(
    available: NDArray[np.float64], *, budget: float, weights: NDArray[np.float64], max_epochs: float
) -> NDArray[np.float64]:
    """Share a budget out by weights, none getting more than `max_epochs` times what it has; others get what is left.

    With equal weights this is UniMax: Chung et al. (2023), "UniMax: fairer and more effective language sampling for
    large-scale multilingual pretraining", ICLR, algorithm 1.

    Args:
        available: [k], above 0.
        budget: to share out, in the unit of `available`.
        weights: [k], above 0.
        max_epochs: as above.

    Returns:
        [k]; sums to the budget, or to less where every one has as much as it may.
    """
    most = max_epochs * available
    given = np.zeros(available.size)
    left = float(budget)
    # Whoever needs most repeating for its weight is full first.
    order = np.argsort(most / weights, kind="stable")
    for place, at in enumerate(order):
        given[at] = min(most[at], left * weights[at] / weights[order[place:]].sum())
        left -= given[at]
    return given


def draw(candidates: Candidates, sampling: Sampling, *, tokens: int, seed: int) -> Mixture:
    """Draw examples up to a number of tokens, and shuffle them.

    Within a part and language all examples take turns, in another order each round. Temperature over languages: Conneau
    and Lample (2019), "Cross-lingual language model pretraining", NeurIPS, section 3.1 (their alpha is 1 / ours).

    Raises:
        UsageError: a part that has a share and no example.
    """
    drawn, plan = [], []
    for part, share in sampling.shares.items():
        inside = np.flatnonzero(candidates.part == part)
        if not inside.size:
            raise UsageError(f"the mixture gives {share:.0%} of the tokens to {part}, and there is no such example")
        codes, of = np.unique(candidates.language[inside], return_inverse=True)
        available = np.bincount(of, weights=candidates.tokens[inside]).astype(np.float64)
        budgets = allocate(
            available, budget=tokens * share, weights=_weights(available, sampling), max_epochs=sampling.max_epochs
        )
        for number, code in enumerate(codes.tolist()):
            own = inside[of == number]
            rng = _generator(seed, part, code)
            chosen = own[_in_turn(candidates.tokens[own], budgets[number], rng)]
            drawn.append(chosen)
            plan.append(_row(part, code, candidates.tokens[own], candidates.tokens[chosen]))
    order = _generator(seed, "order").permutation(np.concatenate(drawn))
    return Mixture(order=order, plan=tuple(plan))


def _weights(available: NDArray[np.float64], sampling: Sampling) -> NDArray[np.float64]:
    if sampling.method == "unimax":
        return np.ones(available.size)
    weights: NDArray[np.float64] = available ** (1 / sampling.temperature)
    return weights


def _generator(seed: int, *names: str) -> np.random.Generator:
    """Return a generator of its own for each name, so that another language changes nothing of this one's draw."""
    return np.random.default_rng([seed, *(crc32(name.encode()) for name in names)])


def _in_turn(tokens: NDArray[np.int64], budget: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return indices of examples in rounds; the last round ends where its sum is nearest to what is left."""
    rounds, left = divmod(budget, int(tokens.sum()))
    order = [rng.permutation(tokens.size) for _ in range(int(rounds) + 1)]
    sums = np.concatenate([[0], np.cumsum(tokens[order[-1]])])
    order[-1] = order[-1][: int(np.argmin(np.abs(sums - left)))]
    return np.concatenate(order)


def _row(part: Part, code: str, tokens: NDArray[np.int64], drawn: NDArray[np.int64]) -> PlanRow:
    return PlanRow(
        part=part,
        language=code,
        tier=language(code).tier,
        examples=tokens.size,
        tokens=int(tokens.sum()),
        median_tokens=round(float(np.median(tokens))),
        longest_tokens=int(tokens.max()),
        drawn=drawn.size,
        drawn_tokens=int(drawn.sum()),
        epochs=float(drawn.sum() / tokens.sum()),
    )
