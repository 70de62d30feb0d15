"""How long `globmed data` takes, and how much memory, for 500,000 items in 12 languages and for a tenth of them.

    python benchmarks/dataset.py [--few 50000] [--many 500000] [--folder FOLDER] [--seed 0]

Made questions in the layout of GlobMed's authors go through import, clustering with splits, checks of every translation
against its original on all cores, and release, each command in a process of its own. The texts mean nothing: about 1 KB
of words of a made vocabulary per language, drawn as often as words are (Zipf), between the language's own short words,
with the same figures in all languages. So shingles, compression and length bands meet what they meet in real text. Two
families in 100 repeat an earlier one in nearly the same words, and two translations in 100 have an error.

Wall time is the clock's. CPU time is what the kernel books for the command and all it started. Memory is the most that
the command and all it started held at one moment, sampled every fifth of a second: the sum of proportional set sizes,
in which memory that processes share counts once. A peak between two samples is missed, but for the kernel's own of the
largest single process, which is taken where it is higher. Linux only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from globmed.core.language import language, languages
from globmed.data.function_words import function_words

from measuring import Spent, note, show, show_goals

SECONDS_MAX = 360
PEAK_MB_MAX = 4_000
# Ten times the items may take somewhat more than ten times as long: start-up apart, sorting and a busy machine add.
RATIO_MAX = 12
SAMPLED_EVERY_S = 0.2
_LOG_LINES = 30

DATASET = "GlobMed_MedQA"
SPLITS = (*("train",) * 8, "dev", "test")
VOCABULARY = 8_000
BLOCK = 1_000
"""Families drawn at once."""
SENTENCES = 8
WORDS = 13
"""Words of a sentence, every third one a short word of the language."""
OPTION_WORDS = 4
ERROR_SHARE = REPEATED_SHARE = 0.02

_COGNATES = {"en", "fr", "de", "pt", "es"}
"""Languages that have most learned words in common; checks of options go by that."""
COGNATE_SHARE = 0.8
ROOT_LETTERS = 5
# Letters of words, and how long words are, so that texts are as long as translations from English are.
_LATIN = {
    "en": ("b c d f g l m n p r s t th st tr", "a e i o u ea", 7.6),
    "fr": ("b c d f g l m n p r s t ch gn", "a é i o u eau è", 8.9),
    "de": ("b d f g k l m n r s t sch st w z", "a e i o u ä ö ü ei", 9.3),
    "pt": ("b c d f g l m n p r s t nh lh", "a e i o u ã ç", 9.0),
    "es": ("b c d f g l m n p r s t ñ rr", "a e i o u ó í", 9.5),
    "sw": ("b ch d f g k l m mb n ng p s t w y z", "a e i o u", 8.4),
    "wo": ("b c d f g j k l m n ñ ŋ r t x w", "a à e é i o ó u", 7.2),
    "yo": ("b d f g gb j k l m n p r s ṣ t w y", "à á a ẹ é è ì í ó ọ ú", 7.5),
    "zu": ("b d dl f g hl k l m n nd ng ph s th z", "a e i o u", 8.6),
}
_SIGNS = {"zh": (2, 4), "ja": (3, 5), "ko": (2, 5)}
"""Fewest signs of a word, and the number that none reaches."""
KANA_SHARE = 0.4
# Digits and units among the signs would be figures that the original has not.
_FIGURES = "零一二三四五六七八九十百千万亿两半点分度克毫米升厘微斤寸尺倍次岁月年日天时秒周"
_FIGURES += "일이삼사오육칠팔구십백천만억조도분세한두반회개배명"
_HANGUL = "가각간감강개거건검게격결경계고곡공과관교국군균급긍기길김나남내녀노농뇌누단달당대데독동등라락래량려력"
_HANGUL += "련렬로론료류리마막말매머면명모목무문물미민바박반발방배병보복본부분비빈사산살상색생서석선설성"
_SHORT_WORDS = {"zh": "的 在 和 与 是 于 由 对 把 被", "ja": "は が を に で と の から より へ"}
_SHORT_WORDS["ko"] = "및 또는 그리고 위해 대한 의한 따라 통해 있는 없이"
# Short words that are numbers, units or negations as well; in made text they would be errors that nobody made.
_AMBIGUOUS = {"not", "no", "than", "un", "una", "une", "um", "uma", "ein", "eine", "einer", "einem", "einen", "nicht"}
_AMBIGUOUS |= {"pas", "ne", "não", "sin", "si", "kan", "ń", "à", "a", "o", "é", "l", "s", "n", "d", "m"}


@dataclass(frozen=True)
class Words:
    """A language's words: those of the vocabulary by number, and its short words."""

    code: str
    content: tuple[str, ...]
    short: tuple[str, ...]

    def text(self, numbers: Sequence[int]) -> str:
        """Return words by their numbers, every third one a short word."""
        between = "" if self.code in ("zh", "ja") else " "
        return between.join(
            self.short[number % len(self.short)] if place % 3 == 2 else self.content[number]
            for place, number in enumerate(numbers)
        )


def words_of(code: str, *, seed: int) -> Words:
    """Make the vocabulary of a language, no word twice."""
    rng, roots = np.random.default_rng([seed, *code.encode()]), np.random.default_rng(seed)
    made: dict[str, None] = {}
    for _ in range(VOCABULARY):
        root = _latin("en", ROOT_LETTERS, roots) if roots.random() < COGNATE_SHARE and code in _COGNATES else ""
        while (word := _word(code, rng, root)) in made:
            pass
        made[word] = None
    listed = _SHORT_WORDS[code].split() if code in _SHORT_WORDS else sorted(function_words(code) - _AMBIGUOUS)
    return Words(code, tuple(made), tuple(listed))


def _word(code: str, rng: np.random.Generator, root: str) -> str:
    if code in _LATIN:
        return _latin(code, max(3, round(float(rng.normal(_LATIN[code][2], 2.0)))), rng, root)
    signs = _signs(code)
    word = "".join(signs[index] for index in rng.integers(len(signs), size=rng.integers(*_SIGNS[code])))
    return f"{word}の" if code == "ja" and rng.random() < KANA_SHARE else word


def _latin(code: str, length: int, rng: np.random.Generator, root: str = "") -> str:
    starts, vowels, _ = _LATIN[code]
    word = root
    while len(word) < length or word == root:
        word += str(rng.choice(starts.split())) + str(rng.choice(vowels.split()))
    return word


@cache
def _signs(code: str) -> str:
    """Return common Korean syllables or, for zh and ja, common characters of GB 2312's first level; no figures."""
    rows = (bytes([row, place]).decode("gb2312") for row in range(0xB0, 0xC0) for place in range(0xA1, 0xFF))
    return "".join(sign for sign in (_HANGUL if code == "ko" else rows) if sign not in _FIGURES)


@dataclass(frozen=True, kw_only=True)
class Family:
    """A question, whatever its language: numbers of words, figures and the right option."""

    number: int
    sentences: list[list[int]]
    options: list[list[int]]
    figures: list[int]
    answer: int


def families(count: int, *, seed: int) -> Iterator[Family]:
    """Give families, the same ones in every language."""
    weights = 1 / np.arange(3, VOCABULARY + 3)
    odds = np.cumsum(weights / weights.sum())
    for first in range(0, count, BLOCK):
        rng = np.random.default_rng([seed, first])
        sizes = (BLOCK, SENTENCES, WORDS), (BLOCK, 4, OPTION_WORDS)
        sentences, options = (np.minimum(np.searchsorted(odds, rng.random(size)), VOCABULARY - 1) for size in sizes)
        figures, repeated = rng.integers(10, 900, size=(BLOCK, SENTENCES)), rng.random(BLOCK) < REPEATED_SHARE
        for place in range(min(BLOCK, count - first)):
            like = place - 1 if place and repeated[place] else place
            sentences[place, 1:], options[place], figures[place] = sentences[like, 1:], options[like], figures[like]
            yield Family(
                number=first + place,
                sentences=sentences[place].tolist(),
                options=options[place].tolist(),
                figures=figures[place].tolist(),
                answer=(first + like) % 4,
            )


def entry(family: Family, words: Words) -> dict[str, Any]:
    """Return a family in one language, as an object of the authors' layout."""
    decimal, full_stop = language(words.code).decimal_mark, "。" if words.code in ("zh", "ja") else ". "
    figures = [
        f" {figure} mg" if place % 2 else f" {figure}{decimal}{figure % 9 + 1} mmHg"
        for place, figure in enumerate(family.figures)
    ]
    sentences = [words.text(numbers).capitalize() for numbers in family.sentences]
    question = full_stop.join(sentence + figure for sentence, figure in zip(sentences, figures, strict=True))
    options = [words.text(numbers) for numbers in family.options]
    original = words.code == "en"
    return {
        "id": f"medqa:{family.number:06d}",
        "kind": "mcqa",
        "question": f"{question}?",
        "options": dict(zip("ABCD", options, strict=True)),
        "answer_idx": "ABCD"[family.answer],
        "native_language": "en",
        "text": "native" if original else "machine",
        "licence": "MIT",
        **({} if original else {"model": "made"}),
    }


def with_error(translation: dict[str, Any], original: dict[str, Any], which: int) -> dict[str, Any]:
    """Return a translation with one error: a figure tenfold, a repeated option, text left in English, half a text."""
    question, options = translation["question"], translation["options"]
    changes: tuple[dict[str, Any], ...] = (
        {"question": question.replace(" mg", "0 mg", 1)},
        {"options": options | {"B": options["A"]}},
        {"question": original["question"]},
        {"question": question[: len(question) // 2]},
    )
    return translation | changes[which % len(changes)]


def write_language(folder: Path, code: str, *, count: int, seed: int) -> int:
    """Write one language's files, and return the bytes of them."""
    words, english = words_of(code, seed=seed), words_of("en", seed=seed)
    rng = np.random.default_rng([seed, *code.encode(), count])
    place = folder / DATASET / code
    place.mkdir(parents=True)
    with ExitStack() as stack:
        files = {split: stack.enter_context((place / f"{split}.json").open("wb")) for split in SPLITS}
        for family in families(count, seed=seed):
            made = entry(family, words)
            if code != "en" and rng.random() < ERROR_SHARE:
                made = with_error(made, entry(family, english), int(rng.integers(4)))
            file = files[SPLITS[family.number % len(SPLITS)]]
            file.write((b",\n" if file.tell() else b"[\n") + msgspec.json.encode(made))
        for file in files.values():
            file.write(b"\n]\n")
    return sum(path.stat().st_size for path in place.iterdir())


def make(folder: Path, *, count: int, seed: int) -> None:
    """Write the files of all languages, in processes of their own, so that this one stays small."""
    write = partial(write_language, folder, count=count, seed=seed)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        written = sum(pool.map(write, languages()))
    note(f"{count * len(languages()):,} items made, {written / count / len(languages()):.0f} bytes each")


def stages(given: Path, out: Path) -> dict[str, list[str]]:
    """Return the commands measured, in order, by what they do."""
    data = [sys.executable, "-m", "globmed", "data"]
    return {
        "import": [*data, "import", f"globmed={given}", "--out", str(out)],
        "cluster and split": [*data, "cluster", str(out / "import"), "--out", str(out)],
        "check": [*data, "check", str(out / "corpus"), "--out", str(out)],
        "release": [*data, "release", str(out / "quality"), "--out", str(out)],
    }


def watch(command: Sequence[str], *, log: Path) -> Spent:
    """Run a command on all cores and return what it and all it started cost; its output goes to a file.

    Raises:
        SystemExit: it failed; the text ends with the last lines of its output.
    """
    peak_kb, began = 0, time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            peak_kb = max(peak_kb, sum(map(_held_kb, _with_children(process.pid))))
            time.sleep(SAMPLED_EVERY_S)
    wall_seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
        raise SystemExit(f"exit code {process.returncode} of: {' '.join(command)}\n{tail}")
    return Spent(
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        wall_seconds=wall_seconds,
        peak_mb=max(peak_kb, usage.ru_maxrss) * 1024 / 1_000_000,
    )


def _with_children(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it ended meanwhile
        return
    for child in (int(one) for several in children for one in several):
        yield from _with_children(child)


def _held_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def measure(items: int, *, within: Path, seed: int) -> dict[str, Spent]:
    """Make the items, run every stage on them and return what each cost; what they write stays in the folder."""
    count = -(-items // len(languages()))
    folder = within / str(items)
    given = folder / "given"
    make(given, count=count, seed=seed)
    found: dict[str, Spent] = {}
    for name, command in stages(given, folder / "out").items():
        note(f"load average before: {os.getloadavg()[0]:.1f}")
        spent = found[name] = watch(command, log=folder / f"{name}.log")
        note(f"{items:,}: {name}: {spent.wall_seconds:.1f} s, {spent.cpu_seconds:.1f} CPU-s, {spent.peak_mb:.0f} MB")
    return found


def _rows(few: dict[str, Spent], many: dict[str, Spent]) -> Iterator[tuple[str, ...]]:
    for name in (*many, "together"):
        low, high = (_together(spent) if name == "together" else spent[name] for spent in (few, many))
        seconds = f"{low.wall_seconds:.1f}", f"{high.wall_seconds:.1f}", f"{high.wall_seconds / low.wall_seconds:.1f}"
        cpu = f"{low.cpu_seconds:.1f}", f"{high.cpu_seconds:.1f}", f"{high.cpu_seconds / low.cpu_seconds:.1f}"
        yield name, *seconds, *cpu, f"{low.peak_mb:.0f}", f"{high.peak_mb:.0f}"


def _together(spent: dict[str, Spent]) -> Spent:
    return Spent(
        cpu_seconds=sum(one.cpu_seconds for one in spent.values()),
        wall_seconds=sum(one.wall_seconds for one in spent.values()),
        peak_mb=max(one.peak_mb for one in spent.values()),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--few", type=int, default=50_000)
    parser.add_argument("--many", type=int, default=500_000)
    parser.add_argument("--folder", type=Path, help="keep what is made and written here, some GB")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        within = options.folder or Path(temporary)
        few, many = (measure(items, within=within, seed=options.seed) for items in (options.few, options.many))
    times = f"{options.many / options.few:.0f} times the items"
    show(
        (
            *("stage", f"s, {options.few:,}", f"s, {options.many:,}", "ratio"),
            *("CPU-s", "CPU-s", "ratio", f"MB, {options.few:,}", f"MB, {options.many:,}"),
        ),
        list(_rows(few, many)),
    )
    whole, ratio = _together(many), _together(many).wall_seconds / _together(few).wall_seconds
    show_goals(
        [
            (f"under {SECONDS_MAX} s", f"{whole.wall_seconds:.0f} s", whole.wall_seconds < SECONDS_MAX),
            (f"under {PEAK_MB_MAX:,} MB", f"{whole.peak_mb:.0f} MB", whole.peak_mb < PEAK_MB_MAX),
            (f"{times}: at most {RATIO_MAX} times the seconds", f"{ratio:.1f}", ratio <= RATIO_MAX),
        ]
    )


if __name__ == "__main__":
    main()
