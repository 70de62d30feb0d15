"""GlobMed as its authors published it, or as globmed writes it in their layout.

One dataset a source, in it a folder a language, in that a file a split:

    GlobMed_HeadQA/sw/test.json

Ten datasets on the Hugging Face Hub (`ruiyang-medinfo/GlobMed_*`: BioNLI, ExpertQA-Bio, ExpertQA-Med, HeadQA, LiveQA,
MedExpQA, MedMCQA, MedQA, MMLU-Pro, PubMedQA), each file an array of objects or JSON Lines. Names of fields vary by
dataset and are read by `globmed.data.globmed_fields`. What the folder's name says of a dataset (native language, kind,
terms of use) is what globmed's own source of that name declares. Folders of languages that are not in `languages.toml`
(the Hub has some, such as ar or hi) are not read.

Families. A row is one family with the row of the same key in the other languages; where a file's rows have no keys, or
one key twice, it is their place in the file. Places can only be compared where the files have as many rows as that of
the native language: a file that has not gets families of its own, and each row a finding that says so. Families are
`globmed:...`, never those of the original source, whose keys the authors' rows are not known to carry: the search for
overlap joins the two by their texts. Rows that globmed wrote do carry them, in `id` and `cluster`: those are in one
cluster with the original from the start.

Home: https://huggingface.co/collections/ruiyang-medinfo/globmed. Revision: 2026-05, the last change of a dataset.
Licence: that of each original; see also the card of each dataset.
Citation: Yang et al., "Toward Global Large Language Models in Medicine", arXiv 2601.02186, 2026.

One object of `GlobMed_MedQA/en/test.json`, an invented one in globmed's layout:

    {"id": "medqa:0123456789abcdef", "kind": "mcqa", "question": "Which vitamin prevents scurvy?",
     "options": {"A": "A", "B": "B12", "C": "C", "D": "D"}, "answer_idx": "C", "answer": "C",
     "native_language": "en", "text": "native", "licence": "MIT"}
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from globmed.core.errors import EnvironmentFailedError, InputError, did_you_mean
from globmed.core.item import Criterion, Finding, Item, Kind, Provenance, Split, TextOrigin, Turn
from globmed.core.language import languages as all_languages
from globmed.data.globmed_fields import Fields
from globmed.data.intake import Placed, find_files, option_findings, read_rows, split_of
from globmed.data.json_array import read_array
from globmed.data.sources import Dropped, Source, sources

T = TypeVar("T")

PREFIX = "GlobMed_"
OWN_LAYOUT = {"id", "kind", "native_language", "text", "licence"}
"""Fields of every row that globmed wrote, whose `id` is the original's family."""


@dataclass(frozen=True, kw_only=True)
class _File:
    """One file and what is known of all its rows.

    Attributes:
        path: where it lies.
        dataset: the source's name.
        original: the source.
        language: BCP 47 code.
        split: what its name says.
        keyed: whether every row has a key of its own.
        finding: that rows without keys cannot be told apart by their place either; None where they can.
    """

    path: Path
    dataset: str
    original: Source
    language: str
    split: Split
    keyed: bool
    finding: Finding | None


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every row of the datasets' folders at or below `path`."""
    found = find_files(path, r".*\.json", expected=f"{PREFIX}*/<language>/<split>.json", obtain=SOURCE.obtain)
    files = [file for file in found if file.absolute().parent.name in all_languages()]
    if not files:
        raise InputError.at(
            str(path),
            found="no folder named by a language of languages.toml",
            expected=f"{PREFIX}*/<language>/<split>.json",
            remedy=SOURCE.obtain,
        )
    for code in languages:
        for file in files:
            if file.absolute().parent.name == code:
                described = _describe(file)
                for number, placed in enumerate(_rows(file), start=1):
                    yield _item(placed, described, number)


def _describe(file: Path) -> _File:
    folder = file.absolute().parent.parent.name
    name = folder.removeprefix(PREFIX).casefold().replace("-", "_")
    known = {one: found for one, found in sources().items() if one != SOURCE.name}
    if name not in known or not folder.startswith(PREFIX):
        raise InputError.at(
            str(file),
            found=f"the dataset's folder {folder!r}",
            expected=f"{PREFIX} and the name of a source{did_you_mean(name, known)}",
            remedy="Give the folder the name that the dataset has on the Hub",
        )
    keyed = _keyed(file)
    return _File(
        path=file,
        dataset=name,
        original=known[name],
        language=file.absolute().parent.name,
        split=split_of(file),
        keyed=keyed,
        finding=None if keyed else _not_aligned(file, known[name].native_language),
    )


def _keyed(file: Path) -> bool:
    """Return whether each row has a key of its own."""
    keys = set[bytes]()
    for count, placed in enumerate(_rows(file), start=1):
        key = Fields(placed.row, placed.place).key()
        # In place of long keys, of which a large file has many.
        keys.add(hashlib.blake2b(key.encode(), digest_size=16).digest())
        if not key or len(keys) < count:
            return False
    return True


def _not_aligned(file: Path, native: str) -> Finding | None:
    """Return a finding where a file has not as many rows as its like in the native language, or the first there is."""
    dataset = file.absolute().parent.parent
    like = next(path for code in (native, *sorted(all_languages())) if (path := dataset / code / file.name).is_file())
    if like == file:
        return None
    count, there = (sum(1 for _ in _rows(one)) for one in (file, like))
    if count == there:
        return None
    message = f"{count} rows here and {there} in {like.parent.name}: which of them are one question is not known"
    return Finding(check="not_aligned", severity="review", field="question", message=message)


def _rows(file: Path) -> Iterator[Placed[dict[str, Any]]]:
    try:
        with file.open("rb") as opened:
            begins = opened.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    except OSError as error:
        raise EnvironmentFailedError(f"{file}: could not be read: {error.strerror or error}") from error
    yield from (read_array if begins == b"[" else read_rows)(file, dict[str, Any])


def _item(placed: Placed[dict[str, Any]], file: _File, number: int) -> Item:
    fields = Fields(placed.row, placed.place)
    own = placed.row.keys() >= OWN_LAYOUT
    return _filled(
        Item(
            family=f"globmed:{fields.key() if own else _key(fields, file, number)}",
            cluster=str(fields.value("cluster") or fields.key()) if own else "",
            language=file.language,
            kind=_kind(fields, file),
            source=SOURCE.name,
            split=file.split,
            question="",
            context=fields.text("context"),
            specialty=fields.text("specialty"),
            subset=" ".join(filter(None, [file.dataset, str(fields.value("subset") or "")])),
            region=str(fields.value("region") or ""),
            provenance=_provenance(fields, file),
        ),
        fields,
    )


def _key(fields: Fields, file: _File, number: int) -> str:
    if file.keyed:
        return f"{file.dataset}:{file.split}:{fields.key()}"
    return ":".join([file.dataset, *([file.language] if file.finding else []), file.split, str(number)])


def _filled(bare: Item, fields: Fields) -> Item:
    return _open(bare, fields) if bare.kind == "lfqa" else _closed(bare, fields)


def _kind(fields: Fields, file: _File) -> Kind:
    stated = fields.value("kind")
    if stated in get_args(Kind):
        return stated  # type: ignore[no-any-return]  # one of Kind's, as was just seen
    if len(file.original.kinds) == 1:
        return file.original.kinds[0]
    return "mcqa" if fields.options() else "lfqa"


def _provenance(fields: Fields, file: _File) -> Provenance:
    original = file.original
    native = str(fields.value("native_language") or original.native_language)
    origin: TextOrigin = "native" if file.language == native else "machine"
    stated = fields.value("text")
    return Provenance(
        native_language=native,
        licence=str(fields.value("licence") or original.licence),
        text=stated if stated in get_args(TextOrigin) else origin,
        model=str(fields.value("model") or ""),
        place=fields.place,
        findings=(file.finding,) if file.finding else (),
        may_leave_machine=original.may_leave_machine,
        may_be_redistributed=original.may_be_redistributed,
    )


def _open(bare: Item, fields: Fields) -> Item:
    question = fields.needed("question")
    findings = bare.provenance.findings
    if not question.strip():
        empty = Finding(check="question_empty", severity="block", field="question", message="the question is empty")
        findings += (empty,)
    rubric = _structs(fields, "rubric", Criterion)
    return msgspec.structs.replace(
        bare,
        question=question,
        turns=_structs(fields, "turns", Turn),
        rubric=rubric,
        reference=() if rubric and fields.value("answers") is None else fields.listed("answers"),
        provenance=msgspec.structs.replace(bare.provenance, findings=findings),
    )


def _closed(bare: Item, fields: Fields) -> Item:
    question = fields.needed("hypothesis" if bare.kind == "nli" else "question")
    options = fields.options()
    texts, right = tuple(options.values()), fields.right(options) if options else ()
    if not options:
        texts, right = fields.label(bare.kind, bare.language)
    findings = option_findings(question, texts, answer=right[0] if right else -1) if bare.kind == "mcqa" else ()
    return msgspec.structs.replace(
        bare,
        question=question,
        options=texts,
        answer=right,
        rationale=fields.text("rationale"),
        provenance=msgspec.structs.replace(bare.provenance, findings=bare.provenance.findings + findings),
    )


def _structs(fields: Fields, name: str, kind: type[T]) -> tuple[T, ...]:
    try:
        return tuple(msgspec.convert(one, kind) for one in msgspec.convert(fields.value(name) or [], list[Any]))
    except msgspec.ValidationError as error:
        raise InputError.at(
            fields.place, found=f"{name} that cannot be read ({error})", expected=f"a list of {kind.__name__} objects"
        ) from error


SOURCE = Source(
    name="globmed",
    title="GlobMed, as its authors published it",
    kinds=("mcqa", "nli", "lfqa"),
    native_language="en",
    languages=tuple(all_languages()),
    url="https://huggingface.co/collections/ruiyang-medinfo/globmed",
    revision="2026-05",
    licence="that of each original source; see also the card of each dataset",
    citation='Yang et al. "Toward Global Large Language Models in Medicine". arXiv 2601.02186, 2026.',
    terms="The terms of each original source hold, LiveQA's (no licence stated) among them; HeadQA and MedExpQA are "
    "native Spanish, the others English",
    rows="some 666,000 rows in ten datasets, each in 12 to 20 languages, mostly machine translated",
    obtain="For each dataset NAME of https://huggingface.co/collections/ruiyang-medinfo/globmed run `hf download "
    "ruiyang-medinfo/GlobMed_NAME --repo-type dataset --revision COMMIT --local-dir globmed/GlobMed_NAME`, with the "
    "newest COMMIT that its page shows, and name the folder globmed",
    read=read,
)
