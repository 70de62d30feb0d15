"""How well `read_choice` and `read_label` read the labelled replies, and how fast.

    python benchmarks/reading.py [--half dev] [--corpus tests/bench/reading/corpus] [--beside]

For each language: replies read right (a letter where there is that letter, none where there is none), wrong
letters, replies with a letter that were left unread, and letters found where there are none; each share with its
Wilson 95 % interval. No native speaker labelled the replies. With --beside, the same of the readers of other tools that
are installed (other_readers.py). Then the time per 1,000 replies of some 200 characters, and the time for replies of
1,000, 10,000 and 100,000 characters.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from globmed.bench.reading import Reading, read_choice, read_label
from globmed.core.language import languages
from globmed.stats.intervals import wilson

from other_readers import other_readers

OUTCOMES = ("right", "wrong", "unread", "invented")
REPLIES_A_SECOND_MIN, RIGHT_MIN, WRONG_MAX_OF_600 = 5_000, 0.98, 3
_SHORTEST, _LONGEST = 140, 260


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """One reply of the corpus; `first` is a letter or "none", and `why` says why there is none."""

    id: str
    kind: str
    options: tuple[str, ...]
    reply: str
    first: str
    why: str = ""


def labelled(path: Path) -> list[Labelled]:
    """Return the replies of one file."""
    lines = path.read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Labelled) for line in lines if line.strip()]


def outcome(case: Labelled, letter: str | None) -> str:
    """Return which of `OUTCOMES` reading a letter, or none, of a reply is."""
    if case.first == "none":
        return "right" if letter is None else "invented"
    return "right" if letter == case.first else "unread" if letter is None else "wrong"


def shown(counts: Counter[str], outcomes: tuple[str, ...]) -> str:
    """Return counts with their share and interval in percent."""
    total = counts.total()
    cells = []
    for name in outcomes:
        share = wilson(counts[name], total)
        cells.append(f"{name} {counts[name]:>3} ({100 * share.low:.1f} to {100 * share.high:.1f} %)")
    return f"{total:>4} replies: " + ", ".join(cells)


def read_all(folder: Path, suffix: str, read: Callable[..., str | None]) -> Iterator[tuple[str, Counter[str]]]:
    """Give each language and the outcomes of its replies, read as a letter or None."""
    for code in languages():
        path = folder / f"{code}{suffix}"
        if path.is_file():
            yield code, Counter(outcome(case, read(case.reply, case.options, code)) for case in labelled(path))


def letter_by(read: Callable[..., Reading]) -> Callable[..., str | None]:
    """Return one of our readers as one that gives a letter or None."""
    return lambda reply, options, code: read(reply, options, code).letter


def seconds_a_thousand(folder: Path) -> float:
    """Return the CPU-seconds that `read_choice` takes for 1,000 replies of some 200 characters, once warm."""
    cases = [
        (case.reply, case.options, code)
        for code in languages()
        for case in (labelled(folder / f"{code}.jsonl") if (folder / f"{code}.jsonl").is_file() else [])
        if _SHORTEST <= len(case.reply) <= _LONGEST
    ]
    for case in cases:
        read_choice(*case)
    rounds = 1 + 1_000 // len(cases)
    began = time.process_time()
    for _ in range(rounds):
        for case in cases:
            read_choice(*case)
    return (time.process_time() - began) * 1_000 / (rounds * len(cases))


def seconds_by_length(unit: str = "Option A is wrong, since vitamin C is given. ") -> Iterator[tuple[int, float]]:
    """Give lengths in characters and the CPU-seconds that one reply of it takes."""
    for length in (1_000, 10_000, 100_000):
        reply = (unit * (length // len(unit) + 1))[:length]
        began = time.process_time()
        read_choice(reply, ("paracetamol", "ibuprofen", "aspirin"), "en")
        yield length, time.process_time() - began


def main() -> None:
    """Print the tables and whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("tests/bench/reading/corpus"))
    parser.add_argument("--half", default="dev", help="folder of the corpus")
    parser.add_argument("--beside", action="store_true", help="read with the other tools that are installed, too")
    options = parser.parse_args()
    folder = options.corpus / options.half
    if not folder.is_dir():
        parser.error(f"{folder}: no such folder; expected the labelled replies")
    readers = {
        "read_choice": (".jsonl", letter_by(read_choice)),
        "read_label": (".labels.jsonl", letter_by(read_label)),
    }
    if options.beside:
        readers |= {name: (".jsonl", read) for name, read in other_readers().items()}
    for name, (suffix, read) in readers.items():
        print(name)
        total: Counter[str] = Counter()
        for code, counts in read_all(folder, suffix, read):
            total += counts
            print(f"  {code} {shown(counts, OUTCOMES)}")
        print(f"  all {shown(total, OUTCOMES)}")
        if name == "read_choice":
            wrong = total["wrong"] + total["invented"]
            print(f"  goals: right {'met' if total['right'] >= RIGHT_MIN * total.total() else 'not met'}, ", end="")
            print(f"wrong letters {'met' if wrong * 600 <= WRONG_MAX_OF_600 * total.total() else 'not met'}")
    needed = seconds_a_thousand(folder)
    print(f"{needed:.3f} CPU-s for 1,000 replies, {1_000 / needed:,.0f} a second (goal {REPLIES_A_SECOND_MIN:,})")
    for length, seconds in seconds_by_length():
        print(f"{length:>7,} characters: {1_000 * seconds:.1f} ms")


if __name__ == "__main__":
    main()
