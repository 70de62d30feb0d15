"""Record files: round trips, hashes, and what is left after a crash or a full disk."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from globmed.core.errors import EnvironmentFailedError, HashMismatchError, InputError, UsageError
from globmed.core.item import Finding, Item, Provenance, Review
from globmed.core.store import (
    Count,
    Manifest,
    arrow_schema,
    file_hash,
    input_hashes,
    read_jsonl,
    read_manifest,
    read_records,
    records_to_table,
    relation,
    replacing,
    stage_hash,
    table,
    up_to_date,
    write_text,
    writing_stage,
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A record with a column of every kind the store knows."""

    name: str
    number: int = 0
    share: float = 0.0
    flag: bool = False
    data: bytes = b""
    maybe: str | None = None
    choice: Literal["a", "b"] = "a"
    texts: tuple[str, ...] = ()
    finding: Finding | None = None


def write(folder: Path, *rows: Row, name: str = "rows.parquet") -> Manifest:
    with writing_stage(folder, "rows") as writer:
        writer.write(name, rows, Row)
    return read_manifest(folder)


TEXT = st.text(max_size=20)
INT64 = st.integers(-(2**63), 2**63 - 1)
FINDINGS = st.builds(
    Finding, check=TEXT, severity=st.sampled_from(["block", "review", "note"]), field=TEXT, message=TEXT
)
REVIEWS = st.builds(Review, reviewer=TEXT, day=TEXT, accuracy=INT64, fluency=INT64, completeness=INT64, comment=TEXT)
PROVENANCES = st.builds(
    Provenance,
    native_language=TEXT,
    licence=TEXT,
    text=st.sampled_from(["native", "machine", "expert"]),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    review=st.lists(REVIEWS, max_size=2).map(tuple),
    may_leave_machine=st.booleans(),
)
ITEMS = st.builds(
    Item,
    family=st.text(min_size=1, max_size=20),
    language=st.sampled_from(["es", "yo", "zh"]),
    kind=st.sampled_from(["mcqa", "nli", "lfqa"]),
    source=TEXT,
    split=st.sampled_from(["train", "dev", "test"]),
    question=TEXT,
    provenance=PROVENANCES,
    options=st.lists(TEXT, min_size=3, max_size=5).map(tuple),
    answer=st.lists(st.integers(0, 2), max_size=3).map(tuple),
    reference=st.lists(TEXT, max_size=2).map(tuple),
)
ROWS = st.builds(
    Row,
    name=TEXT,
    number=INT64,
    share=st.floats(allow_nan=False, allow_infinity=False),  # JSON has no infinity
    flag=st.booleans(),
    data=st.binary(max_size=10),
    maybe=st.none() | TEXT,
    choice=st.sampled_from(["a", "b"]),
    texts=st.lists(TEXT, max_size=3).map(tuple),
    finding=st.none() | FINDINGS,
)
ROUND_TRIP = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ROUND_TRIP
@given(items=st.lists(ITEMS, max_size=6), ending=st.sampled_from(["parquet", "jsonl"]))
def test_items_come_back_as_they_went(tmp_path: Path, items: list[Item], ending: str) -> None:
    with writing_stage(tmp_path, "items") as writer:
        assert writer.write(f"items.{ending}", items, Item) == len(items)
    assert list(read_records(tmp_path, Item)) == items


@ROUND_TRIP
@given(rows=st.lists(ROWS, max_size=6), ending=st.sampled_from(["parquet", "jsonl"]))
def test_every_kind_of_column_comes_back_as_it_went(tmp_path: Path, rows: list[Row], ending: str) -> None:
    write(tmp_path, *rows, name=f"rows.{ending}")
    assert list(read_records(tmp_path, Row)) == rows


@given(st.lists(ITEMS, max_size=4))
def test_a_table_of_items_has_the_schema_of_the_record_even_when_empty(items: list[Item]) -> None:
    found = records_to_table(items, Item)
    assert found.schema == arrow_schema(Item)
    assert found.schema.names == [field.name for field in msgspec.structs.fields(Item)]
    assert [msgspec.convert(row, Item) for row in found.to_pylist()] == items


def test_batches_join_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("globmed.core.store.ROWS_PER_BATCH", 7)
    rows = [Row(name=str(number), number=number) for number in range(50)]
    write(tmp_path, *rows)
    assert list(read_records(tmp_path, Row)) == rows


def test_a_manifest_says_what_the_stage_holds_and_was_made_from(tmp_path: Path) -> None:
    counts = Count(source="headqa", language="es", split="test", read=3, kept=2, dropped={"no answer": 1})
    with writing_stage(tmp_path, "corpus", configuration={"threshold": 0.8}, inputs={"import": "abc"}) as writer:
        writer.write("a.parquet", [Row(name="x")], Row)
        writer.counts.append(counts)
    manifest = read_manifest(tmp_path)
    assert (manifest.stage, manifest.configuration, manifest.inputs) == (
        "corpus", {"threshold": 0.8}, {"import": "abc"},
    )  # fmt: skip
    assert manifest.counts == (counts,)
    assert manifest.files["a.parquet"].rows == 1
    assert manifest.files["a.parquet"].sha256 == file_hash(tmp_path / "a.parquet")
    assert json.loads((tmp_path / "manifest.json").read_text())["counts"][0]["in"] == 3


def test_counts_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(InputError, match="found 3 in, 2 kept and 0 dropped; expected in = kept"):
        Count(source="s", language="es", split="test", read=3, kept=2, dropped={})


@pytest.mark.parametrize("name", ["rows.parquet", "rows.jsonl"])
def test_a_file_that_changed_is_not_read(tmp_path: Path, name: str) -> None:
    write(tmp_path, Row(name="a"), name=name)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + b" ")
    with pytest.raises(HashMismatchError, match=rf"{name}: found SHA-256 .*expected .*manifest.json recorded"):
        list(read_records(tmp_path, Row))


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    write(tmp_path, Row(name="a"))
    (tmp_path / "rows.parquet").unlink()
    with pytest.raises(InputError, match=r"rows.parquet: found no such file"):
        list(read_records(tmp_path, Row))


def test_a_folder_without_a_manifest_is_no_stage_and_names_those_below_it(tmp_path: Path) -> None:
    write(tmp_path / "corpus", Row(name="a"))
    with pytest.raises(InputError, match=r"found no manifest.json.*Stages below it: .*corpus"):
        read_manifest(tmp_path)


def test_a_broken_manifest_says_where(tmp_path: Path) -> None:
    write(tmp_path, Row(name="a"))
    (tmp_path / "manifest.json").write_text('{"stage": 1}')
    with pytest.raises(InputError, match=r"manifest.json: found Expected `str`, got `int`"):
        read_manifest(tmp_path)


def test_a_broken_line_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"name": "a"}\n{"name": 3}\n')
    with pytest.raises(InputError, match=r"rows.jsonl:2: found Expected `str`, got `int`.*expected Row"):
        list(read_jsonl(path, Row))


def test_a_row_of_another_record_is_named_by_its_number(tmp_path: Path) -> None:
    with writing_stage(tmp_path, "findings") as writer:
        writer.write("f.parquet", [Finding(check="c", severity="note", field="f", message="m")], Finding)
    with pytest.raises(InputError, match=r"f.parquet: row 0: found .*`name`.*expected Row"):
        list(read_records(tmp_path, Row))


def test_a_rerun_replaces_the_stage_whole(tmp_path: Path) -> None:
    write(tmp_path, Row(name="a"), name="old.parquet")
    write(tmp_path, Row(name="b"), name="new.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "new.parquet"]


def test_an_error_inside_a_stage_leaves_the_earlier_one_whole(tmp_path: Path) -> None:
    earlier = write(tmp_path, Row(name="a"))

    def broken() -> object:
        yield Row(name="b")
        raise InputError("row 2 is broken")

    with pytest.raises(InputError), writing_stage(tmp_path, "rows") as writer:
        writer.write("rows.parquet", broken(), Row)  # type: ignore[arg-type]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "rows.parquet"]
    assert read_manifest(tmp_path) == earlier
    assert [row.name for row in read_records(tmp_path, Row)] == ["a"]


def test_another_stage_is_not_written_over(tmp_path: Path) -> None:
    write(tmp_path, Row(name="a"))
    with (
        pytest.raises(UsageError, match="holds the stage 'rows', which 'model' would replace"),
        writing_stage(tmp_path, "model"),
    ):
        pass
    assert [row.name for row in read_records(tmp_path, Row)] == ["a"]


def test_a_manifest_names_no_file_outside_its_folder(tmp_path: Path) -> None:
    outside = tmp_path / "kept.parquet"
    outside.write_text("not ours")
    stage = tmp_path / "stage"
    write(stage, Row(name="a"))
    manifest = stage / "manifest.json"
    manifest.write_text(manifest.read_text().replace("rows.parquet", "../kept.parquet"))
    with pytest.raises(InputError, match=r"found the file name '\.\./kept\.parquet'"):
        read_manifest(stage)
    write(stage, Row(name="b"))
    assert outside.read_text() == "not ours"


def test_a_changed_file_makes_a_stage_run_again(tmp_path: Path) -> None:
    write(tmp_path, Row(name="a"))
    assert up_to_date(tmp_path, configuration={}, inputs={})
    with (tmp_path / "rows.parquet").open("ab") as file:
        file.write(b"x")
    assert up_to_date(tmp_path, configuration={}, inputs={}) is None
    (tmp_path / "manifest.json").write_text("{")
    assert up_to_date(tmp_path, configuration={}, inputs={}) is None


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "text.txt"
    write_text(path, "first")

    def write_half() -> None:
        with replacing(path) as temporary:
            temporary.write_text("sec")
            assert path.read_text() == "first"
            raise ValueError("midway")

    with pytest.raises(ValueError, match="midway"):
        write_half()
    assert path.read_text() == "first"
    assert list(path.parent.iterdir()) == [path]


def child(code: str, *arguments: object) -> "subprocess.Popen[str]":
    """Run Python code in a process of its own, with the store imported."""
    head = """
        import resource, sys, time
        from pathlib import Path
        import msgspec
        from globmed.core.store import writing_stage
        class Row(msgspec.Struct):
            name: str
        folder = Path(sys.argv[1])
        """
    command = [sys.executable, "-c", dedent(head) + dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_killed_in_mid_write_the_old_stage_stands(tmp_path: Path, ending: str) -> None:
    write(tmp_path, Row(name="old"), name=f"rows.{ending}")
    before = (tmp_path / f"rows.{ending}").read_bytes()
    writing = """
        def rows():
            for number in range(30_000):
                yield Row(str(number))
            print("half-way", flush=True)
            time.sleep(600)
        with writing_stage(folder, "rows") as writer:
            writer.write(sys.argv[2], rows(), Row)
        """
    with child(writing, tmp_path, f"rows.{ending}") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half-way\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert (tmp_path / f"rows.{ending}").read_bytes() == before
    assert [row.name for row in read_records(tmp_path, Row)] == ["old"]
    write(tmp_path, Row(name="new"), name=f"rows.{ending}")
    assert [row.name for row in read_records(tmp_path, Row)] == ["new"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", f"rows.{ending}"]


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path: Path, ending: str) -> None:
    """A limit on file size stands in for a full disk: the write fails in the same place, with an OSError."""
    full = """
        import random
        from globmed.core.errors import EnvironmentFailedError
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        rng = random.Random(0)
        try:
            with writing_stage(folder, "rows") as writer:
                writer.write(sys.argv[2], (Row(rng.randbytes(50).hex()) for _ in range(30_000)), Row)
        except EnvironmentFailedError as error:
            print(error.exit_code, error)
        """
    with child(full, tmp_path, f"rows.{ending}") as process:
        out, err = process.communicate(timeout=60)
    assert out.startswith(f"3 {tmp_path / 'rows'}.{ending}: could not be written: "), (out, err)
    assert "too large" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(EnvironmentFailedError, match=r": could not be written: Permission denied"):
        write(tmp_path, Row(name="a"))


def test_a_file_where_a_folder_is_needed_is_named(tmp_path: Path) -> None:
    (tmp_path / "stage").write_text("")
    with pytest.raises(EnvironmentFailedError, match=r"stage.*could not be"):
        write(tmp_path / "stage", Row(name="a"))


def test_a_stage_is_up_to_date_only_with_the_same_configuration_inputs_and_files(tmp_path: Path) -> None:
    configuration, inputs = {"languages": ("es", "en"), "seed": 1}, {"import": "abc"}
    assert up_to_date(tmp_path, configuration=configuration, inputs=inputs) is None
    with writing_stage(tmp_path, "rows", configuration=configuration, inputs=inputs) as writer:
        writer.write("rows.parquet", [Row(name="a")], Row)
    assert up_to_date(tmp_path, configuration=configuration, inputs=inputs) == read_manifest(tmp_path)
    assert up_to_date(tmp_path, configuration={**configuration, "seed": 2}, inputs=inputs) is None
    assert up_to_date(tmp_path, configuration=configuration, inputs={"import": "abd"}) is None
    (tmp_path / "rows.parquet").unlink()
    assert up_to_date(tmp_path, configuration=configuration, inputs=inputs) is None


def test_the_hash_of_a_stage_follows_its_records_alone(tmp_path: Path) -> None:
    write(tmp_path / "a", Row(name="x"), name="rows.jsonl")
    with writing_stage(tmp_path / "b", "another", configuration={"seed": 1}) as writer:
        writer.write("rows.jsonl", [Row(name="x")], Row)
    write(tmp_path / "c", Row(name="y"), name="rows.jsonl")
    assert stage_hash(tmp_path / "a") == stage_hash(tmp_path / "b") != stage_hash(tmp_path / "c")


def test_inputs_are_hashed_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "raw" / "deep").mkdir(parents=True)
    (tmp_path / "raw" / "deep" / "a.json").write_text("[]")
    (tmp_path / "b.json").write_text("{}")
    found = input_hashes([tmp_path / "b.json", tmp_path / "raw"])
    # The SHA-256 of "[]" and "{}", from sha256sum.
    assert found == {
        str(tmp_path / "b.json"): "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        str(tmp_path / "raw/deep/a.json"): "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
    }


def test_tables_and_relations_hold_all_files_of_a_prefix(tmp_path: Path) -> None:
    with writing_stage(tmp_path, "rows") as writer:
        writer.write("a.es.parquet", [Row(name="x", number=1), Row(name="y", number=2)], Row)
        writer.write("a.yo.parquet", [Row(name="z", number=4)], Row)
        writer.write("b.es.parquet", [Row(name="w", number=8)], Row)
        writer.write("dropped.jsonl", [Row(name="v")], Row)
    assert table(tmp_path, prefix="a.").column("name").to_pylist() == ["x", "y", "z"]
    assert relation(tmp_path).aggregate("sum(number)").fetchall() == [(15,)]
    with pytest.raises(UsageError, match=r"no Parquet file whose name starts with 'c'"):
        table(tmp_path, prefix="c")
