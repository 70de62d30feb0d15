"""Simultaneous intervals: how often all of them cover, and how long 56 models, 12 languages and 6,000 questions take.

    nice -n 19 python benchmarks/simultaneous.py [--times 5000] [--draws 1999] [--only coverage|speed]

Coverage: answers of four languages and English are made with known differences, alike within question clusters of one
to four, and the share of times that all four intervals hold the truth is counted, with the share of times that any
true null is rejected. Standard error at 5,000 times: 0.3 points. Speed: 616 contrasts of made answers, a tenth missing,
10,000 draws, by the clock, and the most memory held.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from globmed.stats.simultaneous import simultaneous_differences
from numpy.typing import NDArray

from measuring import show, show_goals

SECONDS_MAX = 15
MB_MAX = 1_000
SETTINGS = (
    # question clusters, English accuracy, gap, correlation within clusters
    *((clusters, accuracy, 0.0, 0.3) for clusters in (30, 104, 500) for accuracy in (0.05, 0.25, 0.5, 0.95)),
    (104, 0.6, -0.2, 0.3),
    (104, 0.6, -0.2, 0.7),
    (500, 0.9, -0.3, 0.3),
)
LANGUAGES = 4


def answers(
    rng: np.random.Generator, clusters: int, accuracy: float, gap: float, correlation: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Make differences to English [n, 4] of right and wrong answers, and the cluster of each row."""
    cluster_of = np.repeat(np.arange(clusters), rng.integers(1, 5, clusters))
    size = 1 / correlation - 1
    right = np.empty((cluster_of.size, LANGUAGES + 1))
    # One draw a cluster decides how hard it is, in every language alike.
    hard = rng.random(clusters)
    from scipy.special import betaincinv

    for column, mean in enumerate([accuracy, *[accuracy + gap] * LANGUAGES]):
        own = betaincinv(mean * size, (1 - mean) * size, hard)
        right[:, column] = rng.random(cluster_of.size) < own[cluster_of]
    return right[:, 1:] - right[:, :1], cluster_of


def coverage(times: int, draws: int) -> None:
    """Print how often all intervals hold the truth."""
    rows = []
    for clusters, accuracy, gap, correlation in SETTINGS:
        rng = np.random.default_rng([clusters, int(100 * accuracy), int(-100 * gap)])
        held = told = rejected = 0
        for _ in range(times):
            values, names = answers(rng, clusters, accuracy, gap, correlation)
            found = simultaneous_differences(values, names, rng=rng, draws=draws)
            if all(found.reason):
                continue
            told += 1
            inside = (found.low <= gap) & (gap <= found.high)
            held += bool(inside[np.isfinite(found.low)].all())
            rejected += bool((found.p <= 0.05).any())
        shown = (f"{100 * count / told:.1f}" if told else "–" for count in (held, rejected))
        cell = (str(clusters), f"{accuracy:.2f}", f"{gap:+.2f}", f"{correlation:.1f}")
        rows.append((*cell, *shown, f"{100 * (times - told) / times:.1f}"))
    columns = ("clusters", "English", "gap", "correlation", "all held, %", "any rejected, %", "declined, %")
    show(columns, rows)


def speed() -> None:
    """Print how long a leaderboard's gaps take."""
    rng = np.random.default_rng(0)
    values = rng.integers(-1, 2, (6000, 56 * 11)).astype(np.float64)
    values[rng.random(values.shape) < 0.1] = np.nan
    began = time.perf_counter()
    simultaneous_differences(values, np.arange(6000) // 2 * 2, rng=rng, draws=10_000)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    show_goals(
        [
            (f"under {SECONDS_MAX} s", f"{seconds:.1f} s", seconds < SECONDS_MAX),
            (f"under {MB_MAX} MB", f"{peak:.0f} MB", peak < MB_MAX),
        ]
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=5000)
    parser.add_argument("--draws", type=int, default=1999)
    parser.add_argument("--only", choices=("coverage", "speed"))
    options = parser.parse_args()
    if options.only != "speed":
        coverage(options.times, options.draws)
    if options.only != "coverage":
        speed()


if __name__ == "__main__":
    main()
