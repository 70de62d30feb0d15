"""What people say of replies of a run, from a CSV file: what judges are compared with and corrected by.

One line a rater and reply; columns in any order:

| column | | what it holds |
|---|---|---|
| `family`, `language`, `model` | needed | which reply, as in the run's `asked.parquet` |
| `answer`, `run` | | condition and repetition, where the run has several; default: the only condition, 0 |
| `rater` | needed | a name or number; each rates a reply once |
| `acceptable` | of a reply | yes or no (or true/false, 1/0): a patient may be given it |
| `correct`, `complete`, `understandable`, `in_language` | | yes or no |
| `harm` | | none, mild, moderate or severe |
| `criterion`, `met` | of a criterion of its rubric | index from 0, and yes or no: the reply meets it |
| `other`, `better` | of a pair | the model it is compared with, and `model`, `other` or `tie` |

An empty cell says nothing. Of several raters of one thing the majority holds; where they are split it has no label, and
its ratings still tell how far people agree.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from statistics import median_high, median_low
from typing import Any

import msgspec

from globmed.bench.asked import Asked, asked_folder
from globmed.bench.judging import ratings_folder
from globmed.bench.judging.verdicts import HARMS, Harm, Preferred
from globmed.bench.saved import asked_and_saved, asked_models
from globmed.bench.scoring import Items
from globmed.core.errors import InputError
from globmed.core.store import Manifest, file_hash, read_manifest, writing_stage

RATINGS = "ratings.parquet"

Unit = tuple[str, str, str, str, int, str, int | None]
"""What is rated: model, condition, family, language and run of a reply; the other model of a pair; a criterion."""

_NEEDED = ("family", "language", "model", "rater")
# What is said of a reply, of a criterion and of a pair.
_SAID_OF = ("acceptable", "met", "better")
_YES_NO = ("acceptable", "correct", "complete", "understandable", "in_language", "met")
_KNOWN = (*_NEEDED, "answer", "run", *_YES_NO, "harm", "criterion", "other", "better")
_BETTER: tuple[Preferred, ...] = ("other", "tie", "model")
_CODES: dict[str, int] = {name: place for names in (HARMS, _BETTER) for place, name in enumerate(names)}
_TURNED: dict[str, Preferred] = {"model": "other", "other": "model", "tie": "tie"}
# Model, condition, family, language and run.
_Reply = tuple[str, str, str, str, int]
_SAID = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """What one person says of one reply, of a criterion for it, or of a pair; None where nothing.

    Attributes:
        model: whose reply it is.
        answer: name of the condition it was given under.
        family: the question.
        language: BCP 47 code.
        run: index of the repetition, from 0.
        rater: who.
        other: the model it is compared with, asked after it in the run; empty but for pairs.
        criterion: index in the item's rubric; None but for rubrics.
        acceptable: a patient may be given it.
        correct: what it says is right.
        complete: nothing that the question needs is missing.
        harm: how badly somebody who follows it may be harmed.
        understandable: a patient understands it.
        in_language: it is in the language of the question.
        met: it meets the criterion.
        better: whose reply is better.
    """

    model: str
    answer: str
    family: str
    language: str
    run: int
    rater: str
    other: str = ""
    criterion: int | None = None
    acceptable: bool | None = None
    correct: bool | None = None
    complete: bool | None = None
    harm: Harm | None = None
    understandable: bool | None = None
    in_language: bool | None = None
    met: bool | None = None
    better: Preferred | None = None

    @property
    def unit(self) -> Unit:
        """What names the thing rated within a run."""
        return self.model, self.answer, self.family, self.language, self.run, self.other, self.criterion


def keep_ratings(run: Path, file: Path) -> Manifest:
    """Read ratings of a run's replies and keep them in the stage `<run>/ratings`, in the place of earlier ones.

    Raises:
        InputError: the file lacks a column or has an unknown one, or a line holds what is none of the allowed values,
            names a reply that the run does not have, or rates one a second time; the text names the line.
    """
    asked = [row for name in asked_models(run) for row in asked_and_saved(run, name)[0]]
    conditions = read_manifest(asked_folder(run)).configuration["answers"]
    items = Items(run)
    ratings = list(
        read_ratings(
            file,
            asked,
            only_answer=conditions[0] if len(conditions) == 1 else "",
            criteria=lambda family, language: len(items.find(family, language).rubric),
        )
    )
    folder = ratings_folder(run)
    with writing_stage(folder, "ratings", inputs={file.name: file_hash(file)}) as writer:
        writer.write(RATINGS, ratings, Rating)
    return read_manifest(folder)


def read_ratings(
    file: Path, asked: Iterable[Asked], *, only_answer: str = "", criteria: Callable[[str, str], int] = lambda *_: 0
) -> Iterator[Rating]:
    """Read ratings, and see that each is of a reply that there is.

    Args:
        file: CSV in UTF-8.
        asked: of the replies, model by model.
        only_answer: the condition where a line names none; empty where each must.
        criteria: gives how many criteria the item of a family and language has.

    Raises:
        InputError: as `keep_ratings`.
    """
    known = {(row.model, row.answer, row.family, row.language, row.run): place for place, row in enumerate(asked)}
    seen: dict[tuple[object, ...], int] = {}
    for number, cells in _lines(file):
        place = f"{file}:{number}"
        rating = _in_order(_rating(cells, place, only_answer), known, place)
        if rating.criterion is not None and rating.criterion >= (there := criteria(rating.family, rating.language)):
            expected = f"one of the {there} of this item, from 0" if there else "none: this item has no rubric"
            raise InputError.at(place, found=f"criterion {rating.criterion}", expected=expected)
        if (before := seen.setdefault((*rating.unit, rating.rater), number)) != number:
            raise InputError.at(
                place, found=f"the reply that {rating.rater} rated in line {before}", expected="another"
            )
        yield rating


def labels(ratings: Iterable[Rating], measure: str) -> dict[Unit, int]:
    """Return what people say together of each thing rated: the middle rating; none where they are split.

    Args:
        ratings: by any number of raters.
        measure: a field of `Rating` that is rated.

    Returns:
        What is rated to 1 or 0, for harm to its severity from 0, of a pair to 0 for the other, 1 for a tie and 2.
    """
    given: dict[Unit, list[int]] = {}
    for one in ratings:
        if (code := coded(getattr(one, measure))) is not None:
            given.setdefault(one.unit, []).append(code)
    middles = {unit: (median_low(codes), median_high(codes)) for unit, codes in given.items()}
    return {unit: low for unit, (low, high) in middles.items() if low == high}


def coded(said: bool | str | None) -> int | None:  # noqa: FBT001 - what a judge or a person said
    """Return a verdict as a number: 1 or 0, a severity from 0, or None where nothing was said."""
    if said is None or isinstance(said, bool):
        return said if said is None else int(said)
    return _CODES[said]


def _lines(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, strict=True)
            columns = [name.strip() for name in reader.fieldnames or ()]
            if missing := [name for name in _NEEDED if name not in columns]:
                raise InputError.at(f"{file}:1", found=f"no column {missing[0]!r}", expected=", ".join(_NEEDED))
            if not set(columns) & set(_SAID_OF):
                raise InputError.at(f"{file}:1", found="no column 'acceptable'", expected="it, or 'met', or 'better'")
            if unknown := [name for name in columns if name not in _KNOWN]:
                raise InputError.at(f"{file}:1", found=f"the column {unknown[0]!r}", expected=", ".join(_KNOWN))
            reader.fieldnames = columns
            for row in reader:
                if None in row or None in row.values():
                    expected = f"{len(columns)} cells"
                    raise InputError.at(f"{file}:{reader.line_num}", found="more or fewer cells", expected=expected)
                yield reader.line_num, {name: cell.strip() for name, cell in row.items()}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError.at(str(file), found=str(error), expected="a CSV file in UTF-8") from error


def _rating(cells: Mapping[str, str], place: str, only_answer: str) -> Rating:
    for name in ("family", "language", "model", "rater"):
        if not cells[name]:
            raise InputError.at(place, found=f"nothing in {name!r}", expected="every rating to say it")
    answer, run = cells.get("answer") or only_answer, cells.get("run") or "0"
    if not answer:
        raise InputError.at(place, found="no condition", expected="one in 'answer', for the run has several")
    if not run.isascii() or not run.isdigit():
        raise InputError.at(place, found=f"run {run!r}", expected="a whole number from 0")
    said: dict[str, Any] = {name: _yes_no(cells, name, place) for name in _YES_NO}
    pair = _pair(cells, place)
    needed = "met" if pair["criterion"] is not None else "better" if pair["other"] else "acceptable"
    if (said | pair)[needed] is None:
        expected = " or ".join(_BETTER) if needed == "better" else "yes or no"
        raise InputError.at(place, found=f"nothing in {needed!r}", expected=expected)
    harm = cells.get("harm", "").lower()
    if harm and harm not in HARMS:
        raise InputError.at(place, found=f"harm {harm!r}", expected=", ".join(HARMS))
    names = {name: cells[name] for name in ("family", "language", "model", "rater")}
    return msgspec.convert({**names, **said, "answer": answer, "run": int(run), "harm": harm or None} | pair, Rating)


def _pair(cells: Mapping[str, str], place: str) -> dict[str, Any]:
    """Return what a line says of a criterion, or of another model."""
    criterion, other, better = (cells.get(name, "") for name in ("criterion", "other", "better"))
    if criterion and not (criterion.isascii() and criterion.isdigit()):
        raise InputError.at(place, found=f"criterion {criterion!r}", expected="a whole number from 0")
    if criterion and other:
        raise InputError.at(place, found="a criterion and another model", expected="one of them")
    if better and better not in _BETTER:
        raise InputError.at(place, found=f"better {better!r}", expected=", ".join(_BETTER))
    return {"criterion": int(criterion) if criterion else None, "other": other, "better": better or None}


def _in_order(rating: Rating, known: Mapping[_Reply, int], place: str) -> Rating:
    """Return a rating of replies that there are, of two with the model first that is first in the run."""
    rest = rating.unit[1:5]
    for model in (rating.model, *([rating.other] if rating.other else [])):
        if (model, *rest) not in known:
            found = f"a rating of {'/'.join(map(str, (model, *rest)))}"
            raise InputError.at(place, found=found, expected="a reply of this run")
    if not rating.other or known[rating.model, *rest] < known[rating.other, *rest]:
        return rating
    if rating.model == rating.other:
        raise InputError.at(place, found=f"{rating.model!r} beside itself", expected="two models")
    better = _TURNED[rating.better] if rating.better else None
    return msgspec.structs.replace(rating, model=rating.other, other=rating.model, better=better)


def _yes_no(cells: Mapping[str, str], name: str, place: str) -> bool | None:
    cell = cells.get(name, "")
    if cell and cell.lower() not in _SAID:
        raise InputError.at(place, found=f"{name} {cell!r}", expected="yes or no")
    return _SAID[cell.lower()] if cell else None
