"""CasiMedicos-Arg: cases of the Spanish examination for specialist training (MIR), with doctors' explanations.

553 cases (381 train, 55 dev, 117 test), each in Spanish, English and French; the Italian is left aside, for it is no
language of this project (`medexpqa` has it, and the same cases in another form: whoever imports both has them joined
by the search for overlap). The Spanish is native; the files do not say how the others were made, and they carry slips
of machine translation, so they are marked so. Cases have no key: it is their place in their split, which is the same
in every language. Where a translation has another number of options than the Spanish, it carries a finding.

The files are annotated tokens in IOB2; the text is put together again from them. Traps:

- columns: English has `token TAG`, Spanish and French `token TAG quality`, where the quality may be missing, with or
  without the space before it, or be followed by a space of its own;
- the Spanish train file has CRLF line ends;
- the answer is announced as `CORRECT ANSWER: 2`, `CORRECT ANSWER : 2`, `BONNE RÉPONSE : 2` or `RÉPONSE CORRECTE : 2`;
- an option may go on for several sentences, and in years with four options a fifth reads `nan`.

Home: https://github.com/ixa-ehu/antidote-casimedicos. Revision: `casimedicos-arg.tar.gz` of commit 4140669.
Licence: CC BY 4.0.
Citation: Sviridova et al., "CasiMedicos-Arg: A Medical Question Answering Dataset Annotated with Explanatory
Argumentative Structures", EMNLP 2024.

The first lines of a case in `EN/test.tsv`, an invented one (a line ends a token, a blank line ends a sentence):

    QUESTION O
    TYPE: O
    CARDIOLOGY O

    CLINICAL O
    CASE: O

    A B-Premise
    runner I-Premise
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.core.item import Finding, Item, Provenance, Split
from globmed.data.intake import find_files, option_findings, split_of
from globmed.data.sources import Dropped, Source, WebFile

ARCHIVE = "casimedicos-arg.tar.gz"
FOLDERS = {"es": "ES", "en": "EN", "fr": "FR"}
TOKEN = re.compile(r"(?P<token>\S+) (?:O|[BI]-[A-Za-z]+)(?: (?:HighQuality|LowQuality)*)? ?\r?\n")
HEAD = re.compile(r"QUESTION TYPE ?: *(?P<specialty>.*)")
CASE = re.compile(r"CLINICAL CASE ?:")
ANSWER = re.compile(r"(?:CORRECT ANSWER|BONNE RÉPONSE|RÉPONSE CORRECTE) ?: *(?P<number>\d+)\.?")
OPTION = re.compile(r"(?P<number>\d) ?- ?(?P<text>.*)")
ABSENT = "nan"


@dataclass(frozen=True)
class Sentence:
    """One sentence and the number of its first line."""

    line: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case; `place` is where it begins, `answer` an index into `options`."""

    place: str
    specialty: str
    question: str
    options: tuple[str, ...]
    answer: int
    explanation: str


def read(path: Path, languages: Sequence[str], _seed: int) -> Iterator[Item | Dropped]:
    """Give every case of the archive or the unpacked files at or below `path`."""
    files = _files(path)
    for code in languages:
        for (folder, split), (name, data) in files.items():
            if folder == FOLDERS[code]:
                native = files.get((FOLDERS["es"], split))
                counts = [len(case.options) for case in _cases(*native)] if native and code != "es" else []
                for number, case in enumerate(_cases(name, data)):
                    expected = counts[number] if number < len(counts) else len(case.options)
                    yield _item(case, code, split=split, number=number + 1, native_options=expected)


def _files(path: Path) -> dict[tuple[str, Split], tuple[str, bytes]]:
    """Return name and content of every file by its folder and split."""
    found = find_files(
        path,
        rf"{re.escape(ARCHIVE)}|(train|dev|test)\.tsv",
        expected=f"{ARCHIVE}, or its folders EN, ES and FR with train.tsv, dev.tsv and test.tsv",
        obtain=SOURCE.obtain,
    )
    named: list[tuple[Path, str, bytes]] = []
    for file in found:
        named += _unpacked(file) if file.name == ARCHIVE else [(file, str(file), _content(file))]
    files: dict[tuple[str, Split], tuple[str, bytes]] = {}
    for inner, name, data in named:
        key = (inner.parent.name, split_of(inner))
        if key in files:
            raise InputError.at(
                str(path),
                found=f"{name} as well as {files[key][0]}",
                expected="one copy of the files",
                remedy="Name the archive or the unpacked folder",
            )
        files[key] = (name, data)
    return files


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise EnvironmentFailedError(f"{file}: could not be read: {error.strerror or error}") from error


def _unpacked(archive: Path) -> list[tuple[Path, str, bytes]]:
    """Return the archive's .tsv files, without writing any of them to disk."""
    files = []
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.name.endswith(".tsv") else None
                if content is not None:
                    files.append((Path(member.name), f"{archive}: {member.name}", content.read()))
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise InputError.at(
            str(archive), found=f"a broken archive ({error})", expected=f"a whole {ARCHIVE}", remedy=SOURCE.obtain
        ) from error
    if not files:
        raise InputError.at(str(archive), found="no .tsv file in it", expected="EN/test.tsv and others")
    return files


def _cases(name: str, data: bytes) -> Iterator[Case]:
    """Give the cases of one file.

    Raises:
        InputError: a line is not a token, or a case lacks a part; the text names file and line.
    """
    sentences = list(_sentences(name, data))
    if not sentences or not HEAD.fullmatch(sentences[0].text):
        first = sentences[0].text if sentences else "nothing"
        raise InputError.at(f"{name}:1", found=repr(first), expected="'QUESTION TYPE: ...'", remedy=SOURCE.obtain)
    starts = [index for index, sentence in enumerate(sentences) if HEAD.fullmatch(sentence.text)]
    for start, end in zip(starts, [*starts[1:], len(sentences)], strict=True):
        yield _case(name, sentences[start:end])


def _sentences(name: str, data: bytes) -> Iterator[Sentence]:
    tokens: list[str] = []
    start = 1
    for number, line in enumerate(data.splitlines(keepends=True), start=1):
        if line.strip():
            tokens.append(_token(line, f"{name}:{number}"))
            continue
        if tokens:
            yield Sentence(start, " ".join(tokens))
        tokens, start = [], number + 1
    if tokens:
        yield Sentence(start, " ".join(tokens))


def _token(line: bytes, place: str) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise InputError.at(
            place,
            found=f"the byte 0x{line[error.start]:02x}, which is not UTF-8",
            expected="UTF-8 text",
            remedy="Convert the file to UTF-8, or fetch it again",
        ) from error
    if not (match := TOKEN.fullmatch(text)):
        raise InputError.at(
            place,
            found=repr(text),
            expected="a whole line with a token, its tag (O, B-Claim, I-Premise, ...) and perhaps a quality",
            remedy="Fetch the file again: it may have been cut off or edited",
        )
    return match["token"]


def _case(name: str, sentences: list[Sentence]) -> Case:
    place = f"{name}:{sentences[0].line}"
    answers = [index for index, sentence in enumerate(sentences) if ANSWER.fullmatch(sentence.text)]
    if len(answers) != 1 or len(sentences) < 2 or not CASE.fullmatch(sentences[1].text):
        raise InputError.at(
            place,
            found=f"a case with {len(answers)} answers that begins {sentences[1].text!r}"
            if len(sentences) > 1
            else "a case of one sentence",
            expected="'CLINICAL CASE:', the case, its options and one 'CORRECT ANSWER: n'",
            remedy="Fetch the file again: it may have been cut off or edited",
        )
    (end,) = answers
    first = max((i for i in range(2, end) if _number(sentences[i].text) == 1), default=end)
    options = _options(sentences[first:end], name)
    number = int(_matched(ANSWER, sentences[end].text)["number"])
    if not options:
        raise InputError.at(
            f"{name}:{sentences[end].line}", found="an answer without options before it", expected="'1- ...' and so on"
        )
    if not 1 <= number <= len(options):
        raise InputError.at(
            f"{name}:{sentences[end].line}", found=f"answer {number}", expected=f"1 to {len(options)}, its options"
        )
    return Case(
        place=place,
        specialty=_matched(HEAD, sentences[0].text)["specialty"].lower(),
        question=" ".join(sentence.text for sentence in sentences[2:first]),
        options=options,
        answer=number - 1,
        explanation=" ".join(sentence.text for sentence in sentences[end + 1 :]),
    )


def _options(sentences: list[Sentence], name: str) -> tuple[str, ...]:
    """Put the options together; a sentence without a number goes on with the option before it."""
    options: list[str] = []
    for sentence in sentences:
        number = _number(sentence.text)
        if number is None:
            options[-1] += f" {sentence.text}"
        elif number == len(options) + 1:
            options.append(_matched(OPTION, sentence.text)["text"])
        else:
            raise InputError.at(
                f"{name}:{sentence.line}", found=f"option {number}", expected=f"option {len(options) + 1}"
            )
    if options and options[-1] == ABSENT:
        options.pop()
    return tuple(options)


def _number(text: str) -> int | None:
    """Return the number of the option that begins with this sentence; None where none does."""
    match = OPTION.fullmatch(text)
    return int(match["number"]) if match else None


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    assert match is not None
    return match


def _item(case: Case, code: str, *, split: Split, number: int, native_options: int) -> Item:
    findings = option_findings(case.question, case.options, answer=case.answer)
    if len(case.options) != native_options:
        message = f"{len(case.options)} options, and {native_options} in the Spanish original"
        findings += (Finding(check="option_count", severity="block", field="options", message=message),)
    return Item(
        family=f"casimedicos:{split}:{number}",
        language=code,
        kind="mcqa",
        source=SOURCE.name,
        split=split,
        question=case.question,
        options=case.options,
        answer=(case.answer,),
        rationale=case.explanation,
        specialty=case.specialty,
        region="ES",
        provenance=Provenance(
            native_language=SOURCE.native_language,
            text="native" if code == SOURCE.native_language else "machine",
            place=case.place,
            findings=findings,
            licence=SOURCE.licence,
        ),
    )


SOURCE = Source(
    name="casimedicos",
    title="CasiMedicos-Arg",
    kinds=("mcqa",),
    native_language="es",
    languages=tuple(FOLDERS),
    url="https://github.com/ixa-ehu/antidote-casimedicos",
    revision="4140669 (2024-11)",
    licence="CC BY 4.0",
    citation='Sviridova et al. "CasiMedicos-Arg". EMNLP 2024.',
    rows="381 train, 55 dev and 117 test cases a language",
    obtain=f"Run `globmed data fetch casimedicos`, or download {ARCHIVE} from "
    "https://github.com/ixa-ehu/antidote-casimedicos and name it, packed or unpacked",
    downloads=(
        WebFile(
            url="https://raw.githubusercontent.com/ixa-ehu/antidote-casimedicos/"
            f"4140669837c0e81e9ee69b7923cd5ff93ef2bf02/{ARCHIVE}",
            name=ARCHIVE,
            sha256="6a397c38d7917ac7744cc2e97d55ff8426ec41063d1fdc367fb5549056604b56",
        ),
    ),
    read=read,
)
