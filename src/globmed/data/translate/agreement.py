"""How much of an original comes back from its back-translation: chrF, from 0 to 100.

Popović (2015), "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015, with the n-gram order 6 and
beta 2 of Popović (2016), and precision and recall averaged over the orders that both texts have, as sacreBLEU 2 does.
"""

from __future__ import annotations

from collections import Counter

_ORDER = 6
_BETA = 2.0


def chrf(hypothesis: str, reference: str) -> float:
    """Return the chrF of a text against a reference, 0 to 100; white space does not count."""
    made, wanted = "".join(hypothesis.split()), "".join(reference.split())
    orders = range(1, min(_ORDER, len(made), len(wanted)) + 1)
    if not orders:
        return 100.0 if made == wanted else 0.0
    precision = recall = 0.0
    for order in orders:
        grams, others = _grams(made, order), _grams(wanted, order)
        shared = (grams & others).total()
        precision += shared / grams.total() / len(orders)
        recall += shared / others.total() / len(orders)
    if not precision:
        return 0.0
    return 100 * (1 + _BETA**2) * precision * recall / (_BETA**2 * precision + recall)


def _grams(text: str, order: int) -> Counter[str]:
    return Counter(text[start : start + order] for start in range(len(text) - order + 1))
