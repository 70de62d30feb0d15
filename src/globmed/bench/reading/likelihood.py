"""The answer of a model that was asked for likelihoods instead of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from globmed.bench.reading.reading import Reading
from globmed.models.client import LETTERS


def read_likelihood(
    option_logprobs: Sequence[float],
    options: Sequence[str],
    *,
    per_byte: bool,
    priors: Sequence[float] | None = None,
) -> Reading:
    """Return the option that a model finds likeliest.

    Args:
        option_logprobs: natural logarithm of each option's probability, summed over its tokens.
        options: texts of the options, in the same order.
        per_byte: divide each by the UTF-8 bytes of the option's text, as lm-evaluation-harness does with characters
            for `acc_norm`; bytes do not depend on the tokenizer, and treat all scripts by one rule.
        priors: what `option_logprobs` is without the question, to be subtracted; None to leave that.
    """
    rule = "likelihood per byte" if per_byte else "likelihood" if priors is None else "likelihood against prior"
    if not option_logprobs:
        return Reading(letter=None, status="empty", rule=rule)
    known = [0.0] * len(options) if priors is None else priors
    if not len(option_logprobs) == len(known) == len(options) or any(map(math.isnan, (*option_logprobs, *known))):
        return Reading(letter=None, status="unread", rule=rule)
    lengths = [len(option.encode()) or 1 if per_byte else 1 for option in options]
    gained = [logprob - prior for logprob, prior in zip(option_logprobs, known, strict=True)]
    scores = [logprob / length for logprob, length in zip(gained, lengths, strict=True)]
    best = [index for index, score in enumerate(scores) if score == max(scores)]
    if len(best) > 1:
        return Reading(letter=None, status="several", rule=rule)
    return Reading(letter=LETTERS[best[0]], status="read", rule=rule)


def confidence(option_logprobs: Sequence[float]) -> float | None:
    """Return the probability that a model gives the option it finds likeliest, of all the options together.

    Args:
        option_logprobs: natural logarithm of each option's probability; of its letter, or of its whole text.

    Returns:
        Between 1 / options and 1; None where a probability is missing.
    """
    if not option_logprobs or any(map(math.isnan, option_logprobs)):
        return None
    best = max(option_logprobs)
    return 1 / sum(math.exp(one - best) for one in option_logprobs)
