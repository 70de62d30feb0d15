"""A translation that is killed at random moments goes on, and ends as if it had not been."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from globmed.core.dataset import read_items
from globmed.core.item import Item
from globmed.core.store import WRITING
from globmed.models.journal import Journal

CHILD = Path(__file__).with_name("translate_process.py")


def start(folder: Path, out: Path, url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(CHILD), str(folder), str(out), url])


def in_flight(out: Path) -> int:
    """Number of requests under way when the last process ended, by its journals."""
    found = 0
    for path in sorted((out / "replies").glob("*.journal")):
        with Journal.open(path) as journal:
            found += len(journal.opened.in_flight)
    return found


def kill_at_random(server: Any, folder: Path, out: Path, *, kills: int, seed: int) -> None:
    chance, lost = random.Random(seed), 0
    for _ in range(kills):
        before = len(server.asked)
        child = start(folder, out, server.url)
        while child.poll() is None and len(server.asked) == before:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.4))
        child.kill()
        child.wait()
        lost += in_flight(out)
    server.chat.seconds = 0.0
    assert start(folder, out, server.url).wait(timeout=60) == 0
    asked = [(one.model, one.content) for one in server.asked]
    assert len(asked) - len(set(asked)) <= lost, "what a journal held was asked again"
    assert lost > 0, "no kill came while a request was under way"


@pytest.mark.slow
def test_killed_at_random_moments(
    server: Any, item: Callable[..., Item], stage: Callable[[Sequence[Item]], Path], tmp_path: Path
) -> None:
    folder, server.chat.seconds = stage([item(number) for number in range(30)]), 0.03
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kill_at_random(server, folder, killed, kills=6, seed=1)
    server.chat.seconds = 0.0
    assert start(folder, whole, server.url).wait(timeout=60) == 0
    assert list(read_items(killed / "translate")) == list(read_items(whole / "translate"))
    assert not (killed / "translate" / WRITING).exists()


def test_killed_once(
    server: Any, item: Callable[..., Item], stage: Callable[[Sequence[Item]], Path], tmp_path: Path
) -> None:
    # Longer than any kill waits: it comes while requests are under way, however fast the machine.
    server.chat.seconds = 2.0
    kill_at_random(server, stage([item(number) for number in range(4)]), tmp_path / "killed", kills=1, seed=2)
