"""A compacted journal is the same journal: in what it holds, to whoever goes on from it, and after any end."""

import asyncio
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.models import journal_parquet
from globmed.models.baseline import LongestOption
from globmed.models.campaign import run_campaign
from globmed.models.client import Message, Reply, Request, TokenLogprob, Usage, reply_key
from globmed.models.compaction import compact
from globmed.models.journal import COMPACTED, Journal, Opened, read_replies
from globmed.models.journal_scan import part_path
from globmed.models.journal_survey import survey

CHILD = Path(__file__).with_name("compaction_process.py")
OK = Reply(status="ok", text="B")
ERROR = Reply(status="error", finish="HTTP 500")

counts = st.integers(0, 2**40)
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["\x00", "Ẹ̀kọ́", "\r\n"]
)
floats = st.floats(allow_nan=False, allow_infinity=False)
tokens = st.builds(TokenLogprob, token=texts, logprob=floats, top=st.dictionaries(texts, floats, max_size=2))
replies = st.builds(
    Reply,
    status=st.sampled_from(["ok", "refused", "truncated", "filtered", "error", "error"]),
    text=texts,
    reasoning=texts,
    finish=texts,
    usage=st.builds(Usage, input=counts, cached=counts, reasoning=counts, output=counts),
    option_logprobs=st.lists(floats, max_size=3).map(tuple),
    option_priors=st.lists(floats, max_size=3).map(tuple),
    logprobs=st.lists(tokens, max_size=2).map(tuple),
    served=texts,
)


def key(number: int) -> str:
    return f"{number:032x}"


def write(path: Path, saved: Sequence[tuple[str, Reply]], asked: Sequence[str] = ()) -> None:
    async def run() -> None:
        with Journal.open(path) as journal:
            journal.ask(asked)
            if saved:
                await journal.commit(saved)

    asyncio.run(run())


# A step is either a few replies, with what was asked before them, or a compaction.
numbers = st.integers(0, 9)
steps = st.lists(
    st.tuples(st.lists(st.tuples(numbers.map(key), replies), max_size=4), st.lists(numbers.map(key), max_size=2))
    | st.none(),
    max_size=6,
)


@settings(max_examples=20)
@given(steps)
def test_compaction_changes_nothing(steps: list[tuple[list[tuple[str, Reply]], list[str]] | None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plain, compacted = Path(folder) / "plain.journal", Path(folder) / "compacted.journal"
        for path in (plain, compacted):
            write(path, [])
        for step in steps:
            if step is None:
                compact(compacted)
            else:
                for path in (plain, compacted):
                    write(path, *step)
            assert_same(plain, compacted)


def assert_same(plain: Path, compacted: Path) -> None:
    expected = dict(read_replies(plain))
    found = list(read_replies(compacted))
    assert dict(found) == expected
    assert len(found) == len(expected)
    with Journal.open(plain) as one, Journal.open(compacted) as other:
        assert one.opened == other.opened
        assert len(one) == len(other)
        for number in range(10):
            saved = other.saved(key(number))
            assert (saved and saved.reply) == expected.get(key(number))


def test_rows_stand_in_the_order_of_the_journal_and_compacting_again_adds_to_them(tmp_path: Path) -> None:
    path = tmp_path / "x.journal"
    write(path, [(key(9 - number), Reply(status="ok", text=str(number))) for number in range(5)])
    first = compact(path)
    assert (first.replies, first.errors, first.part) == (5, 0, tmp_path / "x.parquet")
    assert first.bytes_after == path.stat().st_size + first.part.stat().st_size
    before = path.read_bytes(), first.part.read_bytes()
    assert compact(path).replies == 5
    assert (path.read_bytes(), first.part.read_bytes()) == before
    write(path, [(key(20), OK), (key(9), OK)])
    assert compact(path).replies == 6
    order = [9, 8, 7, 6, 5, 20]
    assert [each for each, _ in read_replies(path)] == [key(number) for number in order]
    with Journal.open(path) as journal:
        assert {saved.offset for number in order if (saved := journal.saved(key(number)))} == {COMPACTED}
        assert journal.size_bytes == path.stat().st_size > COMPACTED
    assert {file.name for file in tmp_path.iterdir()} == {"x.journal", "x.parquet"}


def test_many_row_groups_are_found_in_and_out_of_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_parquet, "_GROUP_ROWS", 100)
    path = tmp_path / "x.journal"
    # A long reply ends a group early.
    texts = [f"answer {number}" * (100_000 if number % 333 == 0 else 1) for number in range(1000)]
    write(path, [(key(number), Reply(status="ok", text=text)) for number, text in enumerate(texts)])
    compact(path)
    with Journal.open(path) as journal:
        shuffled = random.Random(0).sample(range(1000), 300)
        for number in [*range(1000), *shuffled]:
            saved = journal.saved(key(number))
            assert saved is not None
            assert saved.reply.text == texts[number]


def test_any_reader_of_parquet_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "x.journal"
    tokens = (TokenLogprob(token="B", logprob=-0.5, top={"A": -1.5}),)
    usage = Usage(input=9, cached=4, reasoning=2, output=3)
    reply = Reply(status="ok", text="B", usage=usage, option_logprobs=(-1.0, -2.0), logprobs=tokens)
    write(path, [(key(7), reply), (key(8), ERROR)])
    part = compact(path).part
    columns = "status, text, input_tokens, cached_tokens, reasoning_tokens, output_tokens, option_logprobs"
    with duckdb.connect() as connection:
        connection.execute(f"select lower(hex(key)), {columns}, logprobs[1].top['A'] from '{part}'")
        assert connection.fetchall() == [
            (key(7), "ok", "B", 9, 4, 2, 3, [-1.0, -2.0], -1.5),
            (key(8), "error", "", 0, 0, 0, 0, [], None),
        ]
    table = pq.read_table(part)
    assert table.schema.field("key").type == pa.binary(16)
    assert table["finish"].to_pylist() == ["", "HTTP 500"]
    assert set(Reply.__struct_fields__) - {"usage"} < set(table.column_names)


def test_a_part_written_before_a_field_was_added_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.journal"
    write(path, [(key(1), OK)])
    whole = journal_parquet._schema()
    with monkeypatch.context() as patch:
        patch.setattr(journal_parquet, "_schema", lambda: whole.remove(whole.get_field_index("served")))
        compact(path)
    assert dict(read_replies(path)) == {key(1): OK}
    with monkeypatch.context() as patch:
        patch.setattr(journal_parquet, "_schema", lambda: whole.remove(whole.get_field_index("finish")))
        with pytest.raises(InputError, match=r"x\.parquet: found columns finish; expected key, "):
            list(read_replies(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal that was compacted, has replies since, an error that gave way and requests in flight."""
    path = tmp_path / "x.journal"
    usage = Usage(input=3, output=2)
    write(path, [(key(number), Reply(status="ok", text="one " * number, usage=usage)) for number in range(40)])
    write(path, [(key(50), ERROR), (key(51), ERROR)])
    compact(path)
    write(path, [(key(number), Reply(status="truncated", usage=usage)) for number in range(60, 90)])
    write(path, [(key(50), OK)], asked=[key(50), key(98), key(99)])
    return path


State = tuple[object, ...]


def told(path: Path) -> State:
    """Return all that a journal tells without being opened for writing."""
    seen = survey(path)
    return dict(read_replies(path)), (seen.statuses, seen.failures, seen.in_flight, seen.usage)


def opened(path: Path) -> Opened:
    with Journal.open(path) as journal:
        return journal.opened


def run_child(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CHILD), str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def copied(path: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for file in (path, part_path(path)):
        shutil.copy(file, folder)
    return folder / path.name


def assert_nothing_lost(copy: Path, before: State, opened_before: Opened) -> None:
    """Nothing is missing as the kill left it, once a writer was there, and when the compaction is done again."""
    assert told(copy) == before
    again = shutil.copytree(copy.parent, copy.parent.with_name("again"), dirs_exist_ok=True) / copy.name
    assert opened(copy) == opened_before
    assert told(copy) == before
    write(copy, [(key(99), OK)])
    assert dict(read_replies(copy))[key(99)] == OK
    compact(again)
    assert told(again) == before
    assert opened(again) == opened_before
    assert {file.name for file in again.parent.iterdir()} == {again.name, part_path(again).name}
    shutil.rmtree(again.parent)


@pytest.mark.parametrize("calls", ["seams", pytest.param("all", marks=pytest.mark.slow)])
def test_killed_at_any_call_it_loses_nothing(path: Path, tmp_path: Path, calls: str) -> None:
    before, opened_before = told(path), opened(path)
    for number in range(1, 100):
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        copy = copied(path, tmp_path / "copy")
        ran = run_child(copy, calls, str(number))
        assert_nothing_lost(copy, before, opened_before)
        if ran.returncode != -signal.SIGKILL:
            break
    assert ran.returncode == 0, ran.stderr
    # Two renames and two syncs of the folder.
    assert number > 4


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_fifty_random_moments_it_loses_nothing(path: Path, tmp_path: Path) -> None:
    write(path, [(key(number), Reply(status="ok", text=f"{number} " * 50)) for number in range(1000, 4000)])
    before, opened_before, chance = told(path), opened(path), random.Random(0)
    ends = [killed_after(path, tmp_path, 0.0)]
    seconds = 0.01
    while ends[-1]:
        seconds *= 2
        ends.append(killed_after(path, tmp_path, seconds))
    for _ in range(50):
        ends.append(killed_after(path, tmp_path, chance.uniform(0, seconds)))
        assert_nothing_lost(tmp_path / "copy" / path.name, before, opened_before)
    assert ends.count(-signal.SIGKILL) > 10


def killed_after(path: Path, folder: Path, seconds: float) -> int:
    """Compact a copy in a process that is killed after so long; return how it ended."""
    shutil.rmtree(folder / "copy", ignore_errors=True)
    command = [sys.executable, str(CHILD), str(copied(path, folder / "copy")), "all", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        time.sleep(seconds)
        child.kill()
    return child.returncode


def test_the_part_lasts_before_the_journal_is_shortened(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power loss drops what was not synced: file content, and names in the folder."""
    done: list[str] = []

    def fsync(fd: int) -> None:
        name = Path(f"/proc/self/fd/{fd}").readlink().name
        done.append("sync " + (name.removeprefix(".").split(".")[1] if "." in name else "folder"))

    def replace(self: Path, target: Path) -> Path:
        done.append(f"rename {target.suffix.removeprefix('.')}")
        return real(self, target)

    real = Path.replace
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    compact(path)
    assert done == ["sync parquet", "rename parquet", "sync folder", "sync journal", "rename journal", "sync folder"]


def test_a_full_disk_leaves_both_files_as_they_were(path: Path) -> None:
    write(
        path,
        [
            (key(number), Reply(status="ok", text=random.Random(number).randbytes(300).hex()))
            for number in range(200, 400)
        ],
    )
    before = path.read_bytes(), part_path(path).read_bytes()
    ran = run_child(path, "all", "0", "20000")
    assert ran.returncode == 3
    assert f"{part_path(path)}: could not be written: " in ran.stderr
    assert "Traceback" not in ran.stderr
    assert (path.read_bytes(), part_path(path).read_bytes()) == before
    assert {file.name for file in path.parent.iterdir()} == {"x.journal", "x.parquet"}


def test_files_that_do_not_belong_together_are_refused(path: Path, tmp_path: Path) -> None:
    part = part_path(path)
    older = part.read_bytes()
    plain = tmp_path / "plain" / "x.journal"
    write(plain, [(key(1), OK)])
    compact(path)
    newer = part.read_bytes()
    part.write_bytes(older)
    for wrong in (path, plain):
        if wrong == plain:
            shutil.copy(part, part_path(plain))
        for reading in (lambda journal: list(read_replies(journal)), Journal.open, compact):
            with pytest.raises(InputError, match=r"x\.parquet: found the compacted part .*Restore both files"):
                reading(wrong)
    part.unlink()
    with pytest.raises(InputError, match=r"x\.parquet: found no compacted part [0-9a-f]{16}; expected .*x\.journal"):
        Journal.open(path)
    part.write_bytes(newer[:500] + bytes([newer[500] ^ 1]) + newer[501:])
    with pytest.raises(InputError, match=r"x\.parquet: row group 0: found "):
        list(read_replies(path))
    part.write_bytes(newer[:-100])
    with pytest.raises(InputError, match=r"x\.parquet: found .*; expected a Parquet file"):
        Journal.open(path)
    part.write_bytes(newer)
    assert len(dict(read_replies(path))) == 72


def test_a_part_whose_journal_is_gone_is_gone_on_from(path: Path) -> None:
    compact(path)
    replies = dict(read_replies(path))
    path.unlink()
    write(path, [(key(98), OK)])
    assert dict(read_replies(path)) == replies | {key(98): OK}


def test_what_is_no_compacted_part_is_left_alone(tmp_path: Path) -> None:
    path, other = tmp_path / "x.journal", tmp_path / "x.parquet"
    pq.write_table(pa.table({"thesis": ["ten years of work"]}), other)
    before = other.read_bytes()
    write(path, [(key(1), OK)])
    with pytest.raises(InputError, match=r"x\.parquet: found another kind of file; .*Rename it"):
        compact(path)
    assert other.read_bytes() == before
    assert dict(read_replies(path)) == {key(1): OK}
    with pytest.raises(InputError, match="no file"):
        compact(tmp_path / "absent.journal")
    assert not (tmp_path / "absent.journal").exists()


def test_a_journal_that_is_a_link_stays_one(tmp_path: Path) -> None:
    path, link = tmp_path / "real" / "x.journal", tmp_path / "link.journal"
    write(path, [(key(1), OK)])
    link.symlink_to(path)
    compact(link)
    assert link.is_symlink()
    assert dict(read_replies(link)) == dict(read_replies(path)) == {key(1): OK}
    assert part_path(link) == tmp_path / "real" / "x.parquet"


def test_a_writer_and_a_compaction_keep_out_of_each_others_way(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal.open(path), pytest.raises(EnvironmentFailedError, match="another process is writing"):
        compact(path)
    reader = read_replies(path)
    replies = dict([next(reader)])
    real = fcntl.flock

    def compact_first(fd: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", real)
        compact(path)
        real(fd, operation)

    # A writer that opened the journal just before it was put in another's place must not write into the old one.
    monkeypatch.setattr(fcntl, "flock", compact_first)
    write(path, [(key(98), OK)])
    assert dict(read_replies(path))[key(98)] == OK
    # A reader that began before goes on with what there was.
    assert replies | dict(reader) == {each: reply for each, reply in read_replies(path) if each != key(98)}


def test_a_campaign_goes_on_from_a_compacted_journal(tmp_path: Path) -> None:
    path, client = tmp_path / "x.journal", LongestOption()
    requests = [Request(messages=(Message("user", f"{number}?"),), options=("a", "bb")) for number in range(60)]
    keys = [reply_key(client, request) for request in requests]
    write(path, [(each, Reply(status="ok", text="saved")) for each in keys[:20]], asked=[keys[50]])
    write(path, [(each, ERROR) for each in keys[20:30]])
    compact(path)
    write(path, [(each, Reply(status="truncated")) for each in keys[25:40]])
    with Journal.open(path) as journal:
        stats = run_campaign(requests, client, journal, concurrency=2)
    assert (stats.from_journal, stats.asked, stats.errors_retried, stats.asked_again) == (35, 25, 5, 1)
    replies = dict(read_replies(path))
    assert [replies[each].status for each in keys] == ["ok"] * 25 + ["truncated"] * 15 + ["ok"] * 20
    assert [replies[each].text == "saved" for each in keys] == [True] * 20 + [False] * 40
    compact(path)
    with Journal.open(path) as journal:
        assert run_campaign(requests, client, journal, concurrency=2).asked == 0
