"""Which families are one question: pairs of equal or nearly equal text, and the clusters they join into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from globmed.core.item import Item, Split
from globmed.data.corpus.similarity import Text, near_duplicates, text_of


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two families found to be one question; a row of `pairs.parquet`.

    Equal texts of one source are given as pairs with the first of them, not each with each.

    Attributes:
        first: the smaller family name.
        second: the other.
        similarity: Jaccard similarity of their shingles, the highest of all languages searched.
        match: `exact` where the normalised texts are equal.
        language: BCP 47 code of the language in which they are this similar.
    """

    first: str
    second: str
    similarity: float
    match: Literal["exact", "near"]
    language: str


@dataclass(kw_only=True)
class Family:
    """What the search must know of one family, gathered from its items in all languages.

    Attributes:
        source: name of its source.
        native_language: the language it was written in.
        cluster: as its source set it.
        languages: those it is present in.
        splits: those its items are in; more than one only where the publisher's languages disagree.
    """

    source: str
    native_language: str
    cluster: str
    languages: set[str] = field(default_factory=set)
    splits: set[Split] = field(default_factory=set)


@dataclass(kw_only=True)
class _Document:
    """Families of one source with one text; `compared` where they are compared with their own source here."""

    text: Text
    source: str
    compared: bool
    families: list[str] = field(default_factory=list)


def gather_families(items: Iterable[Item]) -> dict[str, Family]:
    """Return every family by name, in the order of the items."""
    families: dict[str, Family] = {}
    for item in items:
        family = families.get(item.family)
        if family is None:
            family = families[item.family] = Family(
                source=item.source, native_language=item.provenance.native_language, cluster=item.cluster
            )
        family.languages.add(item.language)
        family.splits.add(item.split)
    return families


def find_pairs(items: Iterable[Item], code: str, *, families: Mapping[str, Family], threshold: float) -> Iterator[Pair]:
    """Give the duplicate pairs among the items of one language.

    Families of one source are compared in their native language alone, since translations make different questions
    alike and like ones different; in every language they have where the native one is absent. Families of different
    sources are compared in every language they share.

    Args:
        items: all items of that language that are to be compared.
        code: BCP 47 code of the language.
        families: every family by name.
        threshold: smallest Jaccard similarity of a pair, above 0, at most 1.
    """
    documents = _documents(items, code, families)
    for document in documents:
        names = sorted(set(document.families))
        for other in names[1:]:
            yield Pair(first=names[0], second=other, similarity=1.0, match="exact", language=code)
    for match in near_duplicates([document.text for document in documents], code, threshold=threshold):
        one, two = documents[match.first], documents[match.second]
        if one.source != two.source or (one.compared and two.compared):
            first, second = sorted((min(one.families), min(two.families)))
            kind: Literal["exact", "near"] = "exact" if one.text == two.text else "near"
            yield Pair(first=first, second=second, similarity=match.similarity, match=kind, language=code)


def _documents(items: Iterable[Item], code: str, families: Mapping[str, Family]) -> list[_Document]:
    documents: dict[tuple[Text, str], _Document] = {}
    for item in items:
        text = text_of(item)
        if not any(text.stem) and not any(text.options):
            continue
        family = families[item.family]
        compared = code == family.native_language or family.native_language not in family.languages
        # Equal texts share a document only where their families may be joined by it.
        document = documents.setdefault(
            (text, item.source if compared else item.family),
            _Document(text=text, source=item.source, compared=compared),
        )
        document.families.append(item.family)
    return list(documents.values())


def join_clusters(families: Mapping[str, Family], pairs: Iterable[Pair]) -> dict[str, str]:
    """Return the cluster of every family: the smallest name of all families it is joined to, directly or not.

    The family of that name may itself be dropped later, as a duplicate of a held-out one.
    Families are joined by a pair, and by a cluster that their source gave them in common.
    """
    # numpy and scipy take a quarter of a second that `--help` need not pay.
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not families:
        return {}
    names = sorted(families)
    position = {name: number for number, name in enumerate(names)}
    edges = [(position[pair.first], position[pair.second]) for pair in pairs]
    first_of: dict[str, int] = {}
    edges += [(position[name], first_of.setdefault(families[name].cluster, position[name])) for name in names]
    rows, columns = np.array(edges).T
    graph = coo_array((np.ones(len(edges), dtype=np.int32), (rows, columns)), shape=(len(names), len(names)))
    _, labels = connected_components(graph, directed=False)
    smallest: dict[int, str] = {}
    return {name: smallest.setdefault(int(label), name) for name, label in zip(names, labels, strict=True)}
