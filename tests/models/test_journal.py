"""The journal: what it reports as done is there after any end, and nothing that is not."""

import asyncio
import errno
import fcntl
import os
import shlex
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.models import journal_file
from globmed.models.client import Reply, TokenLogprob, Usage
from globmed.models.journal import Journal, read_replies
from globmed.models.journal_survey import survey

CHILD = Path(__file__).with_name("journal_process.py")
counts = st.integers(0, 2**40)
# Line and paragraph separators, NULs and other controls, astral characters: whatever a model may say.
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["\u2028\u2029", "\x00", "\r\n", '"}\n{"crc":"00000000","key":"', "\ufeff", "👩🏽‍⚕️", "Ẹ̀kọ́"]
)
floats = st.floats(allow_nan=False, allow_infinity=False)
tokens = st.builds(TokenLogprob, token=texts, logprob=floats, top=st.dictionaries(texts, floats, max_size=2))
replies = st.builds(
    Reply,
    status=st.sampled_from(["ok", "refused", "truncated", "filtered", "error"]),
    text=texts,
    reasoning=texts,
    finish=texts,
    usage=st.builds(Usage, input=counts, cached=counts, reasoning=counts, output=counts),
    option_logprobs=st.lists(floats, max_size=3).map(tuple),
    option_priors=st.lists(floats, max_size=3).map(tuple),
    logprobs=st.lists(tokens, max_size=2).map(tuple),
    served=texts,
)
keys = st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}")
OK = Reply(status="ok", text="B")
ERROR = Reply(status="error", finish="HTTP 500")


def key(number: int) -> str:
    return f"{number:032x}"


def write(path: Path, saved: Iterable[tuple[str, Reply]], asked: Iterable[str] = ()) -> None:
    async def run() -> None:
        with Journal.open(path) as journal:
            for each in saved:
                journal.ask([each[0]])
                await journal.commit([each])
            journal.ask(asked)

    asyncio.run(run())


@settings(max_examples=40)
@given(st.dictionaries(keys, replies, max_size=6))
def test_replies_come_back_as_they_went_in(saved: dict[str, Reply]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replies.jsonl"
        write(path, saved.items())
        assert dict(read_replies(path)) == saved
        with Journal.open(path) as journal:
            for each, reply in saved.items():
                found = journal.saved(each)
                assert found is not None
                assert found.reply == reply
            assert journal.saved(key(2**128 - 7)) is None
            assert journal.opened.finished + journal.opened.errors == len(journal) == len(saved)
            assert not journal.opened.in_flight
            assert journal.opened.statuses == Counter(reply.status for reply in saved.values())


@settings(max_examples=3)
@given(st.lists(st.tuples(keys, replies), min_size=1, max_size=2, unique_by=lambda pair: pair[0]))
def test_cut_at_any_byte_leaves_a_prefix_and_can_be_gone_on_with(saved: list[tuple[str, Reply]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replies.jsonl"
        write(path, saved)
        whole = path.read_bytes()
        for cut in range(len(whole) + 1):
            path.write_bytes(whole[:cut])
            kept = list(read_replies(path))
            assert kept == saved[: len(kept)]
        # Opening syncs the disk, so only some cuts are gone on with.
        for cut in range(0, len(whole) + 1, 149):
            path.write_bytes(whole[:cut])
            kept = list(read_replies(path))
            with Journal.open(path) as journal:
                assert len(journal) == len(kept)
                assert journal.opened.torn_bytes in range(cut + 1)
                assert len(journal.opened.in_flight) <= 1
            write(path, saved[len(kept) :])
            assert list(read_replies(path)) == saved


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of three replies."""
    path = tmp_path / "replies.jsonl"
    write(path, [(key(number), Reply(status="ok", text=f"answer {number}")) for number in range(3)])
    return path


def test_damage_in_the_middle_is_an_error_that_names_the_byte(path: Path) -> None:
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
    header, last = len(lines[0]), starts[-1]
    for byte in range(header, len(whole)):
        path.write_bytes(whole[:byte] + bytes([whole[byte] ^ 0x20]) + whole[byte + 1 :])
        start = max(start for start in starts if start <= byte)
        # Without its newline the last record but one runs into the last: then both are a torn tail.
        if byte < last - 1:
            with pytest.raises(InputError, match=f"byte {start}: found a damaged record"):
                list(read_replies(path))
            with pytest.raises(InputError, match=f"byte {start}"):
                Journal.open(path)
        else:
            assert len(list(read_replies(path))) == 2, byte


def test_the_remedy_in_the_error_works(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"answer 1", b"answer X"))
    with pytest.raises(InputError, match="truncate -s") as caught:
        Journal.open(path)
    command = str(caught.value).rpartition("with: ")[2]
    subprocess.run(shlex.split(command), check=True)
    assert [each for each, _ in read_replies(path)] == [key(0)]


def test_a_reply_that_this_version_does_not_know_is_named(path: Path) -> None:
    fields = b'"key":"%b","reply":{"status":"postponed"}}' % key(9).encode()
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(b'{"crc":"%08x",%b\n' % (zlib.crc32(fields), fields))
    for reading in (Journal.open, survey, lambda path: list(read_replies(path))):
        with pytest.raises(InputError, match=f"byte {size}: found Invalid enum value 'postponed'.*; expected a reply"):
            reading(path)


def test_zeros_that_a_power_loss_leaves_are_cut_off(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(5000))
    with Journal.open(path) as journal:
        assert journal.opened.torn_bytes == 5000
        assert len(journal) == 3
    write(path, [(key(3), OK)])
    assert [each for each, _ in read_replies(path)] == [key(number) for number in range(4)]


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("ten years of work\n")
    with pytest.raises(InputError, match="another kind of file"):
        Journal.open(path)
    with pytest.raises(InputError, match="another kind of file"):
        list(read_replies(path))
    assert path.read_text() == "ten years of work\n"
    with pytest.raises(InputError, match="no file"):
        list(read_replies(tmp_path / "absent"))


def test_the_first_reply_counts_but_an_error_gives_way(path: Path) -> None:
    later = Reply(status="truncated", text="later")
    write(path, [(key(0), later), (key(7), ERROR), (key(7), OK), (key(7), later), (key(8), ERROR), (key(8), ERROR)])
    found = list(read_replies(path))
    assert len(found) == len(dict(found)) == 5
    assert dict(found)[key(0)].text == "answer 0"
    assert dict(found)[key(7)] == OK
    with Journal.open(path) as journal:
        assert (journal.opened.finished, journal.opened.errors) == (4, 1)
        saved = journal.saved(key(7))
        assert saved is not None
        assert saved.reply == OK


def test_what_was_asked_and_not_answered_is_known(path: Path) -> None:
    write(path, [(key(9), ERROR)], asked=[key(0), key(5), key(6)])
    with Journal.open(path) as journal:
        # Key 0 was answered before and asked again, so it is under way too.
        assert journal.opened.in_flight == {key(0), key(5), key(6)}
    write(path, [(key(5), OK)])
    with Journal.open(path) as journal:
        assert journal.opened.in_flight == {key(0), key(6)}


def test_a_second_writer_is_refused_and_readers_are_not(path: Path) -> None:
    child = "import sys; from pathlib import Path; from globmed.models.journal import Journal, read_replies\n"
    child += "print(len(list(read_replies(Path(sys.argv[1]))))); Journal.open(Path(sys.argv[1]))"
    with Journal.open(path):
        # A reader in this process that closes the file must not lose the lock.
        list(read_replies(path))
        with pytest.raises(EnvironmentFailedError, match=f"{path}: another process is writing"):
            Journal.open(path)
        ran = subprocess.run([sys.executable, "-c", child, str(path)], capture_output=True, text=True, check=False)
        assert ran.stdout == "3\n"
        assert f"{path}: another process is writing" in ran.stderr
    Journal.open(path).close()


def test_tokens_are_counted_for_every_reply_that_was_paid_for(tmp_path: Path) -> None:
    path, usage = tmp_path / "replies.jsonl", Usage(input=10, cached=4, reasoning=2, output=3)
    saved = [Reply(status=status, usage=usage) for status in ("error", "error", "ok", "ok")]
    write(path, [(key(1), reply) for reply in saved] + [(key(2), OK)])
    with Journal.open(path) as journal:
        assert journal.opened.statuses == {"ok": 2}
        assert journal.opened.usage == Usage(input=40, cached=16, reasoning=8, output=12)


def test_a_power_loss_takes_nothing_that_was_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced, reported = tmp_path / "replies.jsonl", [0], [0]
    # Of each moment at which a reply is reported: what the disk has at least, and what is written.
    moments: list[tuple[int, int, list[int]]] = []

    def sync(fd: int) -> None:
        size = os.fstat(fd).st_size
        journal_file.sync(fd)
        synced[0] = size

    async def save(journal: Journal, number: int) -> None:
        await asyncio.sleep(number % 5 / 1000)
        journal.ask([key(number)])
        await journal.commit([(key(number), Reply(status="ok", text=f"answer {number}"))])
        reported.append(number)
        moments.append((synced[0], path.stat().st_size, list(reported)))

    async def run() -> None:
        with Journal.open(path) as journal:
            await asyncio.gather(*(save(journal, number) for number in range(40)))

    monkeypatch.setattr("globmed.models.journal._sync", sync)
    asyncio.run(run())
    whole = path.read_bytes()
    for durable, written, numbers in moments:
        path.write_bytes(whole[:durable])
        at_least = list(read_replies(path))
        assert {key(number) for number in numbers[1:]} <= {each for each, _ in at_least}
        for cut in range(durable, written, 97):
            path.write_bytes(whole[:cut])
            assert list(read_replies(path))[: len(at_least)] == at_least


def save_in_child(*arguments: str) -> tuple[int, list[str], str]:
    ran = subprocess.run([*arguments], capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout.split(), ran.stderr


def test_a_full_disk_loses_nothing_that_was_reported(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    command = [sys.executable, str(CHILD), str(path)]
    code, reported, said = save_in_child(*command, "1000", "50000")
    assert code == 3
    assert f"{path}: File too large after " in said
    assert "Traceback" not in said
    replies = [each for each, _ in read_replies(path)]
    assert 0 < len(reported) <= len(replies)
    assert set(reported) <= set(replies)
    code, _, said = save_in_child(*command, "1000")
    assert (code, said) == (0, "")
    assert {each for each, _ in read_replies(path)} == {key(number) for number in range(1000)}


def test_a_full_file_system_loses_nothing_that_was_reported(tmp_path: Path) -> None:
    path, kept = tmp_path / "small" / "replies.jsonl", tmp_path / "kept.jsonl"
    path.parent.mkdir()
    mount = f"mount -t tmpfs -o size=64k none {shlex.quote(str(path.parent))}"
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*inside, mount], capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    child = shlex.join([sys.executable, str(CHILD), str(path), "1000"])
    # The mount is gone with the process, so what it holds is kept elsewhere.
    code, reported, said = save_in_child(*inside, f"{mount}; {child}; code=$?; cp {path} {kept}; exit $code")
    assert code == 3
    assert f"{path}: No space left on device after " in said
    assert len(reported) > 0
    assert set(reported) <= {each for each, _ in read_replies(kept)}
    with Journal.open(kept) as journal:
        assert journal.opened.torn_bytes == 0


def test_a_folder_that_cannot_be_written_is_read_and_refused_to_writers(path: Path) -> None:
    child = """
        import os, sys; from pathlib import Path; from globmed.core.errors import GlobmedError
        from globmed.models.journal import Journal, read_replies; from globmed.models.journal_survey import survey
        path = Path("replies.jsonl"); survey(path)
        if os.getuid() == 0: os.setuid(65534)  # root may write anywhere
        print(len(list(read_replies(path))), survey(path).replies)
        for name in (path, Path("new.jsonl")):
            try: Journal.open(name)
            except GlobmedError as error: print(type(error).__name__, error)
    """
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        program = "\n".join(line.removeprefix(" " * 8) for line in child.splitlines())
        ran = subprocess.run(
            [sys.executable, "-c", program], cwd=path.parent, capture_output=True, text=True, check=False
        )
    finally:
        path.parent.chmod(0o755)
    assert not ran.stderr
    assert ran.stdout.splitlines() == [
        "3 3",
        "EnvironmentFailedError replies.jsonl: cannot be opened for writing: Permission denied",
        "EnvironmentFailedError new.jsonl: cannot be opened for writing: Permission denied",
    ]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def flock(fd: int, operation: int) -> None:  # noqa: ARG001 - as fcntl.flock
        raise OSError(number, os.strerror(number))

    open_before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(EnvironmentFailedError, match=f"{path}: cannot be locked: .* has flock"):
        Journal.open(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before
    assert len(list(read_replies(path))) == survey(path).replies == 3


def test_many_commits_share_a_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs: list[int] = []

    def sync(fd: int) -> None:
        syncs.append(fd)

    async def run() -> None:
        with Journal.open(tmp_path / "replies.jsonl") as journal:
            syncs.clear()
            await asyncio.gather(*(journal.commit([(key(number), OK)]) for number in range(500)))

    monkeypatch.setattr("globmed.models.journal._sync", sync)
    asyncio.run(run())
    # One for all that came together, perhaps one for stragglers, one at the close.
    assert 2 <= len(syncs) <= 4
    assert len(list(read_replies(tmp_path / "replies.jsonl"))) == 500


def test_a_reply_is_not_reported_before_the_disk_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        with Journal.open(tmp_path / "replies.jsonl") as journal:

            def fail(fd: int) -> None:  # noqa: ARG001 - as os.fdatasync
                raise OSError(5, "Input/output error")

            monkeypatch.setattr("globmed.models.journal._sync", fail)
            results = await asyncio.gather(
                *(journal.commit([(key(number), OK)]) for number in range(3)), return_exceptions=True
            )
            assert all(isinstance(result, EnvironmentFailedError) for result in results)
            with pytest.raises(EnvironmentFailedError, match="Input/output error"):
                journal.ask([key(4)])
            monkeypatch.undo()

    asyncio.run(run())


def test_a_folder_that_cannot_be_written_is_the_environment(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailedError, match="cannot be opened for writing"):
        Journal.open(tmp_path / "file" / "replies.jsonl")
    with pytest.raises(EnvironmentFailedError, match="cannot be opened for writing"):
        Journal.open(tmp_path)
