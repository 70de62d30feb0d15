"""A survey tells what is in a journal, while it is written too."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import InputError
from globmed.models.client import Reply, Usage
from globmed.models.compaction import compact
from globmed.models.failures import FailureKinds
from globmed.models.journal import Journal
from globmed.models.journal_survey import snapshot, survey

USAGE = Usage(input=10, cached=4, reasoning=2, output=3)


def key(number: int) -> str:
    return f"{number:032x}"


@given(
    st.lists(st.tuples(st.sampled_from(["HTTP 500", "reset", "after # s: HTTP 500"]), st.integers(0, 99)), max_size=30)
)
def test_failures_that_differ_in_numbers_are_one_kind(drawn: list[tuple[str, int]]) -> None:
    kinds = FailureKinds()
    for text, number in drawn:
        kinds.add(text.replace("#", str(number)))
    counted = kinds.commonest_first()
    assert list(counted.values()) == [count for _, count in Counter(text for text, _ in drawn).most_common()]
    firsts: dict[str, str] = {}
    for text, number in drawn:
        firsts.setdefault(text, text.replace("#", str(number)))
    assert set(counted) == set(firsts.values())


def test_a_survey_while_a_campaign_writes_and_after_a_compaction(tmp_path: Path) -> None:
    path = tmp_path / "x.journal"

    async def run() -> None:
        with Journal.open(path) as journal:
            journal.ask([key(number) for number in range(20)])
            await journal.commit([(key(number), Reply(status="ok", usage=USAGE)) for number in range(6)])
            await journal.commit([(key(6), Reply(status="error", finish="HTTP 503 after 3 s", usage=USAGE))])
            await journal.commit([(key(7), Reply(status="error", finish="HTTP 503 after 9 s"))])
            await journal.commit([(key(8), Reply(status="error", finish="reset"))])
            await journal.commit([(key(9), Reply(status="refused", usage=USAGE))])
            seen = survey(path)
            assert (seen.replies, seen.compacted, seen.in_flight, seen.torn_bytes) == (10, 0, 10, 0)
            assert seen.statuses == {"ok": 6, "refused": 1, "error": 3}
            assert list(seen.failures.items()) == [("HTTP 503 after 3 s", 2), ("reset", 1)]
            assert seen.usage == Usage(input=80, cached=32, reasoning=16, output=24)
            assert seen.bytes == path.stat().st_size

    asyncio.run(run())
    compact(path)

    async def go_on() -> None:
        with Journal.open(path) as journal:
            await journal.commit([(key(6), Reply(status="filtered", usage=USAGE))])
            await journal.commit([(key(10), Reply(status="error", finish="HTTP 503 after 4 s"))])

    asyncio.run(go_on())
    with path.open("ab") as file:
        file.write(b'{"crc":"half')
    taken = snapshot(path)
    seen = taken.survey
    assert (seen.replies, seen.compacted, seen.in_flight, seen.torn_bytes) == (11, 10, 9, 12)
    assert seen.statuses == {"ok": 6, "refused": 1, "filtered": 1, "error": 3}
    assert list(seen.failures.items()) == [("HTTP 503 after 9 s", 2), ("reset", 1)]
    assert seen.usage == Usage(input=90, cached=36, reasoning=18, output=27)
    assert seen.bytes == sum(file.stat().st_size for file in tmp_path.iterdir())
    assert [taken.status(key(number)) for number in (0, 6, 7, 9, 10, 11)] == [
        "ok",
        "filtered",
        "error",
        "refused",
        "error",
        None,
    ]


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        survey(tmp_path / "absent")
    (tmp_path / "thesis.txt").write_text("ten years of work\n")
    with pytest.raises(InputError, match="another kind of file"):
        survey(tmp_path / "thesis.txt")
