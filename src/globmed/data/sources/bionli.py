"""BioNLI: does an abstract's evidence bear out its conclusion? Conclusions of PubMed abstracts, true and altered.

The premise (`supp_set`) is the abstract without its conclusion, on how one substance acts on another. The hypothesis
(`conclusion`) is either the authors' own (`label_cat` is `pos`), which the premise bears out, or one that was altered,
which it does not. How it was altered is kept in `subset`, for scores differ widely between the kinds: by rule, roles
swapped (SRE, SREO), names taken from elsewhere (SEP, SEN), the sign of the effect turned (posToNeg, negToPos), words
or numbers swapped (LPR, swap_number); or by a language model under constraints (generation, generation_nd,
generation_nd_SRE, generation_nd_SEN). All hypotheses on one abstract are one cluster. Rows have no key of their own:
it is the PubMed number and a hash of texts and label. A row that stands twice gives one item.

There are two variants, full and balanced, with one test set, which the author sends on request.

Home: https://github.com/StonyBrookNLP/BioNLI. Revision: the data linked in the README of commit 1aa25c4.
Licence: CC BY 4.0.
Citation: Bastan et al., "BioNLI: Generating a Biomedical NLI Dataset Using Lexico-semantic Constraints for Adversarial
Examples", Findings of EMNLP 2022.

Header and one row of `dev.csv`, an invented one; columns are read by name, in any order:

    index,pmid,label_cat,supp_set,conclusion,abstract,ori_conclusion
    17,90000001,negToPos,"Leptin was given to rats. Feeding fell by half.","Leptin raises feeding.","...","Leptin ..."
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from globmed.core.errors import InputError
from globmed.core.item import Finding, Item, Provenance, Split
from globmed.data.csv_rows import read_csv
from globmed.data.intake import Placed, content_key, find_files, split_of
from globmed.data.sources import Dropped, Source

COLUMNS = ("pmid", "label_cat", "supp_set", "conclusion")
POSITIVE = "pos"
# As src/data_preparation.py of commit ed5cb21 knows them; a label that is not among them is a damaged row.
NEGATIVES = {
    *("SRE", "SREO", "SEP", "SEN", "SET", "LPR", "posToNeg", "negToPos", "swap_number"),
    *("generation", "generation_nd", "generation_nd_SRE", "generation_nd_SEN"),
}
LABELS = ("entailment", "not entailment")


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every row of the files at or below `path`, all of one variant."""
    files = find_files(
        path,
        r"(.*[-_])?(train|dev|val|validation|test)([-_].*)?\.csv",
        expected="train.csv, dev.csv or test.csv",
        obtain=SOURCE.obtain,
    )
    splits = [split_of(file) for file in files]
    if twice := next((split for split in splits if splits.count(split) > 1), None):
        first, second, *_ = [file for file in files if split_of(file) == twice]
        raise InputError.at(
            str(path),
            found=f"two files of {twice}, {first} and {second}",
            expected="the full variant or the balanced one",
            remedy="Name the folder of one",
        )
    for code in languages:
        for file, split in zip(files, splits, strict=True):
            yield from _read_file(file, code, split=split)


def _read_file(file: Path, code: str, *, split: Split) -> Iterator[Item | Dropped]:
    seen: set[str] = set()
    for placed in read_csv(file, COLUMNS, remedy=SOURCE.obtain):
        item = _item(placed, code, split=split)
        if item.family in seen:
            yield Dropped(place=placed.place, language=code, split=split, reason="stands twice")
        else:
            yield item
        seen.add(item.family)


def _item(placed: Placed[dict[str, str]], code: str, *, split: Split) -> Item:
    row, place = placed.row, placed.place
    label = row["label_cat"]
    if label != POSITIVE and label not in NEGATIVES:
        raise InputError.at(
            place, found=f"label_cat {label!r}", expected=f"{POSITIVE!r} or one of {', '.join(sorted(NEGATIVES))}"
        )
    if not row["pmid"].strip():
        raise InputError.at(place, found="an empty pmid", expected="the PubMed number of the abstract")
    cluster = f"bionli:{row['pmid']}"
    return Item(
        family=f"{cluster}:{content_key(row['conclusion'], [row['supp_set'], label])}",
        cluster=cluster,
        language=code,
        kind="nli",
        source=SOURCE.name,
        split=split,
        context=row["supp_set"],
        question=row["conclusion"],
        options=LABELS,
        answer=(0 if label == POSITIVE else 1,),
        subset=label,
        provenance=Provenance(
            native_language=SOURCE.native_language,
            place=place,
            findings=_findings(row),
            licence=SOURCE.licence,
        ),
    )


def _findings(row: dict[str, str]) -> tuple[Finding, ...]:
    empty = {"context": "supp_set", "question": "conclusion"}
    return tuple(
        Finding(check=f"{field}_empty", severity="block", field=field, message=f"{column} is empty")
        for field, column in empty.items()
        if not row[column].strip()
    )


SOURCE = Source(
    name="bionli",
    title="BioNLI",
    kinds=("nli",),
    native_language="en",
    languages=("en",),
    url="https://github.com/StonyBrookNLP/BioNLI",
    revision="1aa25c4",
    licence="CC BY 4.0",
    citation='Bastan et al. "BioNLI: Generating a Biomedical NLI Dataset". Findings of EMNLP 2022.',
    rows="abstracts with their own and altered conclusions; train, dev and test, in a full and a balanced variant",
    obtain=(
        "Download one of the two Google Drive folders linked in https://github.com/StonyBrookNLP/BioNLI "
        "(full or balanced), ask its author for the test set, and name the folder"
    ),
    read=read,
)
