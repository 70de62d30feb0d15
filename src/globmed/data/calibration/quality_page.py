"""docs/quality.md: what the checks of translations were measured to do, with intervals, goals and what is missed."""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from globmed.core.language import languages
from globmed.data.bands import LengthFacts, length_facts
from globmed.data.calibration.adjudication import Verdict, key
from globmed.data.calibration.calibrating import Calibration
from globmed.data.calibration.fitting import is_fitted_on
from globmed.data.calibration.injections import injections
from globmed.data.calibration.measuring import Spoilt, rates
from globmed.data.calibration.page_tables import groups, mean_percent, met, percent, rates_of, table
from globmed.data.calibration.throughput import GOAL_PAIRS
from globmed.data.parallel import CORPORA
from globmed.data.quality import checks
from globmed.stats.intervals import wilson

FALSE_ALARM_GOAL = 0.03
FALSE_ALARM_GOALS = {"zh": 0.06}
PAIRS_NEEDED = 20
"""Of fewer, one miss is more than 5 points: no goal is said to be met or missed."""
_MAKING = {"human": "people", "translated": "not said in the files", "machine": "machine"}


@dataclass(frozen=True, kw_only=True)
class Miss:
    """A goal that was missed.

    Attributes:
        what: `false_alarms`, or the name of an error.
        title: for people.
        language: of the translations, with what a reader must know of the texts.
        found: share measured.
        goal: share wanted.
    """

    what: str
    title: str
    language: str
    found: float
    goal: float


def render(result: Calibration) -> str:
    """Return the page, in Markdown."""
    misses: list[Miss] = []
    parts = [
        _INTRODUCTION,
        "## What it was measured on\n",
        *_corpora(result),
        "\n## Good translations that are stopped\n",
        _FALSE_ALARMS,
        *_false_alarms(result, misses),
        "\nBy corpus and direction:\n",
        *_by_direction(result),
        "\nBy check; a check and language that is not listed found nothing:\n",
        *_by_check(result),
        "\n## Errors that are found\n",
        _DETECTION,
        *_detection(result, misses),
        "\n## Goals that are missed\n",
        *_missed(misses),
        "\n## Flagged translations, read\n",
        *_adjudicated(result),
        "\n## Bands of length\n",
        _BANDS,
        *_bands(result),
        "\n## Speed\n",
        _speed(result),
    ]
    return "\n".join(parts) + "\n"


_INTRODUCTION = """\
# What the quality checks are worth

Written by `globmed data check --calibrate`; do not edit. Every figure is a share of pairs, in percent, with its 95
% interval; pairs of one document or case are not independent, and the intervals allow for that. `blocked` are pairs
with a finding of severity `block`, `flagged` those with `block` or `review`, `noticed` those with any.
"""
_SPLIT = """
A hash of a pair's id says whether it is for fitting or for measuring, so that no original is on both sides. Only
the bands of length are fitted; the rules of the other checks were written by hand. Words of the checks `language` and
`names` were added after looking at what they missed in the measured half as well, so that what is said of untranslated
text, of another language and of names is partly of the very pairs that they were made with.
"""
_FALSE_ALARMS = """\
All checks together. A pair that was blocked is not always a false alarm: human translations hold errors. `after
reading` takes off the share that were real errors among those that were read (see below). `(news)` is not medical
text; of `(machine)` nobody knows which are good, so it has no goal.
"""
_DETECTION = """\
Errors are put into good translations by patterns that share nothing with the checks, only where a text has
something to put them into. An error is found where the checks say of the spoilt pair what they do not say of the
good one. A goal counts as met where as many errors are flagged; `met` says where blocking alone would not do.
`found by` names the checks that saw most of them, with the percentage each saw.
"""
_BANDS = """\
Natural logarithm of a text's length over that of its English, and how far it strays (see `globmed.data.bands`).
"""


def _corpora(result: Calibration) -> Iterator[str]:
    measured = Counter((one.corpus, one.pair.direction) for one in result.good)
    rows = []
    for parallel in result.read:
        title, making = parallel.corpus.title, _MAKING[parallel.corpus.making]
        for direction in dict.fromkeys(pair.direction for pair in parallel.pairs):
            pairs = [pair for pair in parallel.pairs if pair.direction == direction]
            clusters = len({pair.source.cluster for pair in pairs})
            fitting = sum(is_fitted_on(parallel, pair) for pair in pairs)
            count = measured[parallel.corpus.name, direction]
            rows.append((title, direction, making, len(pairs), clusters, fitting, count))
    names = ("corpus", "direction", "translated by", "pairs", "documents or cases", "fitted on", "measured on")
    yield from table(names, rows)
    yield ""
    for parallel in result.read:
        yield f"- {parallel.corpus.title}: {parallel.corpus.about}. Licence: {parallel.corpus.licence}."
        yield from (f"  - left out: {line}" for line in parallel.left_out)
    yield _SPLIT


def _false_alarms(result: Calibration, misses: list[Miss]) -> Iterator[str]:
    read = _verdicts_by(result, _language)
    rows: list[tuple[object, ...]] = []
    unmeasured = dict.fromkeys(languages())
    for group in groups(result.good):
        found = rates_of(group.results)
        row = (group.label, found.blocked.n, found.blocked.clusters, percent(found.blocked))
        if group.machine:
            rows.append((*row, "", percent(found.flagged), "", ""))
            continue
        unmeasured.pop(group.language, None)
        goal = FALSE_ALARM_GOALS.get(group.language, FALSE_ALARM_GOAL)
        share, after = found.blocked.mean, ""
        if share > goal:
            title = "good translations blocked"
            misses.append(Miss(what="false_alarms", title=title, language=group.label, found=share, goal=goal))
        if verdicts := read.get(group.language):
            wrong = sum(one.verdict == "error" for one in verdicts) / len(verdicts)
            after = f"{100 * share * (1 - wrong):.1f}"
        rows.append((*row, after, percent(found.flagged), f"at most {100 * goal:.0f}", met(goal - share)))
    rows += [(code, 0, 0, "no data", "", "no data", "", "not measured") for code in unmeasured]
    names = ("language", "pairs", "documents or cases", "blocked", "after reading", "flagged", "goal (blocked)", "met")
    yield from table(names, rows)


def _by_direction(result: Calibration) -> Iterator[str]:
    rows = []
    for corpus, direction in dict.fromkeys((one.corpus, one.pair.direction) for one in result.good):
        judged = [one for one in result.good if (one.corpus, one.pair.direction) == (corpus, direction)]
        found = rates_of(judged)
        rows.append((CORPORA[corpus].title, direction, len(judged), percent(found.blocked), percent(found.flagged)))
    yield from table(("corpus", "direction", "pairs", "blocked", "flagged"), rows)


def _by_check(result: Calibration) -> Iterator[str]:
    rows = []
    for name, check in checks().items():
        for group in groups(result.good):
            found = rates_of(group.results, check=name)
            if found.noticed.mean > 0:
                rows.append((f"`{name}`", check.title, group.label, found.noticed.n, *map(percent, found)))
    yield from table(("check", "finds", "language", "pairs", "blocked", "flagged", "noticed"), rows)
    quiet = [f"`{name}`" for name in checks() if f"`{name}`" not in {row[0] for row in rows}]
    yield f"\nChecks that found nothing in any good pair: {', '.join(quiet) or 'none'}."


def _detection(result: Calibration, misses: list[Miss]) -> Iterator[str]:
    rows = []
    for injection in injections(()):
        for group in groups(one for one in result.spoilt if one.injection == injection.name):
            found = rates([one.level for one in group.results], [one.cluster for one in group.results])
            goal, verdict = "", ""
            if injection.goal is not None:
                goal, verdict = f"{100 * injection.goal:.0f}", met(found.flagged.mean - injection.goal)
                if len(group.results) < PAIRS_NEEDED:
                    verdict = "too few pairs"
                elif verdict != "yes":
                    share = found.flagged.mean
                    miss = Miss(
                        what=injection.name,
                        title=injection.title,
                        language=group.label,
                        found=share,
                        goal=injection.goal,
                    )
                    misses.append(miss)
                elif found.blocked.mean < injection.goal:
                    verdict = "yes, with those sent to review"
            shares = (percent(found.flagged), mean_percent(found.blocked), mean_percent(found.noticed))
            row = (injection.title, group.label, found.flagged.n, found.flagged.clusters, *shares, goal, verdict)
            rows.append((*row, _seen_by(group.results)))
    names = (
        "error",
        "language",
        "pairs",
        "documents or cases",
        "flagged",
        "blocked",
        "noticed",
        "goal (flagged)",
        "met",
    )
    yield from table((*names, "found by"), rows)


def _seen_by(spoilt: Sequence[Spoilt]) -> str:
    counts = Counter(check for one in spoilt for check in one.checks)
    most = sorted(counts, key=lambda check: (-counts[check], check))[:3]
    return ", ".join(f"`{check}` {100 * counts[check] / len(spoilt):.0f}" for check in most)


def _missed(misses: Sequence[Miss]) -> Iterator[str]:
    """Give a line for all languages that miss a goal for the same reason."""
    reasons = tomllib.loads(files("globmed.data.calibration").joinpath("reasons.toml").read_text(encoding="utf-8"))
    alike: dict[tuple[str, float, str], list[str]] = defaultdict(list)
    for miss in misses:
        known = reasons.get(miss.what, {})
        why = known.get(miss.language) or known.get("all") or "Nobody has looked into it."
        text = f"{miss.language} {100 * miss.found:.1f} (by {100 * abs(miss.found - miss.goal):.1f} points)"
        alike[miss.title, miss.goal, why].append(text)
    for (title, goal, why), found in alike.items():
        yield f"- **{title}**, goal {100 * goal:.0f}: {', '.join(found)}. {why}"
    if not misses:
        yield "None of those measured."


def _adjudicated(result: Calibration) -> Iterator[str]:
    known = [result.verdicts[key(one)] for one in result.sample if key(one) in result.verdicts]
    who = sorted({one.adjudicated_by for one in known})
    yield (
        f"{len(result.sample)} flagged pairs were drawn (seed {result.seed}; in turn from the languages, blocked ones "
        f"first; no machine translation). Read of them: {len(known)}, by {', '.join(who) or 'nobody yet'}.\n"
        "An `error` is a finding that is right: what it points at changes what the original says, or leaves out or\n"
        "untranslated a part of it. What is only free, or bad style, is `fine`. The verdicts, without texts, are in\n"
        "`src/globmed/data/calibration/adjudicated.csv`.\n"
    )
    names = ("read", "real errors", "no error", "unsure", "share of real errors")
    for level, title in (("block", "Blocked"), ("review", "Sent to review")):
        by_language = _verdicts_by(result, _language, level=level)
        everything = _verdicts_by(result, lambda _one: ["all"], level=level)
        rows = [_verdict_row(*one) for one in [*sorted(by_language.items()), *everything.items()]]
        yield from table((f"{title}, by language", *names), rows)
        yield ""
    by_check = _verdicts_by(result, lambda one: one.checks.split(";"))
    rows = [_verdict_row(f"`{name}`", found) for name, found in sorted(by_check.items())]
    yield from table(("Blocked, by check", *names), rows)


def _language(verdict: Verdict) -> list[str]:
    return [verdict.direction.partition("-")[2]]


def _verdicts_by(
    result: Calibration, keys: Callable[[Verdict], Sequence[str]], *, level: str = "block"
) -> dict[str, list[Verdict]]:
    """Group the verdicts on pairs whose gravest finding has a severity; one may count under several names."""
    found: dict[str, list[Verdict]] = defaultdict(list)
    for one in result.sample:
        verdict = result.verdicts.get(key(one))
        if verdict is not None and one.level() == level:
            for name in keys(verdict):
                found[name].append(verdict)
    return found


def _verdict_row(name: str, found: Sequence[Verdict]) -> tuple[object, ...]:
    counts = [sum(one.verdict == word for one in found) for word in ("error", "fine", "unsure")]
    return (name, len(found), *counts, percent(wilson(counts[0], len(found))))


def _bands(result: Calibration) -> Iterator[str]:
    def shown(facts: LengthFacts | None) -> str:
        return "" if facts is None else f"{facts.log_ratio} / {facts.spread} / {facts.spread_short}"

    rows = [
        (code, shown(used), used.fitted_on or "an estimate, not fitted", shown(result.fitted.get(code)))
        for code, used in length_facts().items()
    ]
    yield from table(("language", "log ratio / spread / spread, short", "fitted on", "fitted by this run"), rows)


def _speed(result: Calibration) -> str:
    found = result.throughput
    if found is None:
        return "Not measured: no sentences were given."
    outcome = "met" if found.pairs_per_second >= GOAL_PAIRS else "not met"
    return (
        f"{found.pairs_per_second:,.0f} pairs a second of CPU time on one core, of pairs whose originals have "
        f"{found.characters:.0f} characters on average;\ngoal {GOAL_PAIRS:,}: {outcome}. A core that shares its units "
        "with another busy one takes up to twice as long.\n`benchmarks/quality.py` measures it anywhere."
    )
