"""The second table of `globmed bench gaps`: what of a gap to English translation may explain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from globmed.cli import output

_ALIKE = ("source", "model", "revision", "answer", "language")

_TITLES = {
    "back_translated": "Where gaps to English come from: the same questions translated back, in percentage points",
    "revised": "Where gaps to English come from: texts that an expert revised, in percentage points",
}

_ABOUT = {
    "back_translated": """\
Only questions written in English and asked in all three texts: in English, in English translated back from the
language (the condition with /translated), and in the language.
in the texts: what is lost from English to the text translated back. It bounds what translation into the language may
explain, and does not measure it: the errors of both ways are in it, so translation explains no more than this, unless
the second translator mended what the first broke.
remains: what the texts do not explain, from the text translated back to the language: the model's own handling of the
language, or the reader's (see the replies not read). It is at least this much, with the same exception.
share: the first part by the gap, with Fieller's interval: quote its upper end. None is given where the gap may be
nothing. Each interval holds by itself with 95 %, for other questions, given these translations, prompts and runs.
own: questions of which the model itself made a translation.""",
    "revised": """\
Questions whose text is the machine's beside others whose text an expert revised: a comparison of two sets of questions,
to be trusted only if the revised ones were drawn at random.
in the texts: the gap of the machine's texts less that of the revised ones. What an expert mends was the translation's,
which explains at least this much, for an expert may miss something. remains: the gap of the revised texts.
share: the first part by the gap of the machine's texts, with Fieller's interval: quote its lower end.""",
}


def with_parts(rows: Sequence[Mapping[str, Any]], parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return gaps for machines: each with a list of its `parts`, empty where no replies tell them.

    Args:
        rows: of `globmed.bench.gaps.GapRow`.
        parts: of `globmed.bench.gap_parts.GapPartRow`.
    """
    known = defaultdict[tuple[Any, ...], list[dict[str, Any]]](list)
    for part in parts:
        own = {name: output.plain(value) for name, value in part.items() if name not in ("task", "tier", *_ALIKE)}
        known[_of(part)].append(own)
    return [
        {name: output.plain(value) for name, value in row.items()}
        | {"parts": known.get(_of(row), []) if _is_whole(row) else []}
        for row in rows
    ]


def show_parts(parts: Sequence[Mapping[str, Any]]) -> None:
    """Print the parts of gaps with what they mean; nothing where there are none."""
    for by, title in _TITLES.items():
        told = [part for part in parts if part["by"] == by]
        if told:
            output.show([part_row(part) for part in told], as_json=False, title=title)
            output.say(_ABOUT[by])


def part_row(part: Mapping[str, Any]) -> dict[str, Any]:
    """Write one row of the parts of gaps for people."""
    revised = part["by"] == "revised"
    return {
        "source": part["source"],
        "model": part["model"],
        "answer": part["answer"],
        "language": part["language"],
        "English %": _percent(part["english"]),
        "revised %" if revised else "back %": _percent(part["between"]),
        "machine %" if revised else "language %": _percent(part["target"]),
        "gap": _with_bounds(part, "gap", "+.1f"),
        "in the texts": _with_bounds(part, "lost", "+.1f"),
        "remains": _with_bounds(part, "remains", "+.1f"),
        "share %, at least" if revised else "share %, at most": _with_bounds(part, "share", ".0f"),
        "questions": part["clusters"],
        "own": part["own"],
        "note": part["reason"],
    }


def _of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _ALIKE)


def _is_whole(row: Mapping[str, Any]) -> bool:
    """Whether a gap is of all of a language's texts to English, which parts are told of."""
    return bool(row["by"] == "language" and row["reference"] == "en" and row["text"] == "all")


def _with_bounds(part: Mapping[str, Any], name: str, form: str) -> str:
    low, high = (part[f"{name}_{end}"] for end in ("low", "high"))
    bounds = "" if output.plain(low) is None else f" ({_percent(low, form)} to {_percent(high, form)})"
    return _percent(part[name], form) + bounds


def _percent(share: float, form: str = ".1f") -> str:
    # Adding 0 takes the sign off a zero.
    return "–" if output.plain(share) is None else f"{100 * share + 0.0:{form}}"
