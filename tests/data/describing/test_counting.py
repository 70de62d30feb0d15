"""What a stage holds, counted: against counts made the slow way, over stages made by hand."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from globmed.core.errors import HashMismatchError, InputError
from globmed.core.item import Finding, Item, Provenance, Review, Turn
from globmed.core.store import writing_stage
from globmed.data.describing import describe
from globmed.data.describing.description import Crossing, Found, Length, Origin


def item(family: str, language: str = "es", **named: object) -> Item:
    origin = {key: named.pop(key) for key in Provenance.__struct_fields__ if key in named}
    fields = {"kind": "mcqa", "split": "train", "question": "¿?", **named}
    made = {"native_language": "es", "licence": "MIT", **origin}
    whole = {"family": family, "language": language, "source": family.partition(":")[0], **fields, "provenance": made}
    return msgspec.convert(msgspec.to_builtins(whole), Item)


def stage(folder: Path, *items: Item, name: str = "quality") -> Path:
    with writing_stage(folder / name, name) as writer:
        for file in sorted({f"{one.source}.{one.language}.parquet" for one in items}):
            rows = [one for one in items if file == f"{one.source}.{one.language}.parquet"]
            writer.write(file, rows, Item)
        writer.write("pairs.parquet", [], Item)
    return folder / name


def test_items_families_and_clusters_are_counted_by_source_language_split_and_origin(tmp_path: Path) -> None:
    found = describe(
        stage(
            tmp_path,
            item("s:1", split="test"),
            item("s:1", "sw", split="test", text="machine"),
            item("s:2", text="expert"),
            item("t:1", cluster="s:2"),
        )
    )
    assert (found.stage, found.items, found.families, found.clusters) == ("quality", 4, 3, 2)
    assert found.sources == ["s", "t"]
    assert found.languages == ["es", "sw"]
    assert found.count(source="s", language="es") == 2
    assert found.count(split="test") == 2
    assert found.origins == (
        Origin(language="es", native=2, machine=0, expert=1),
        Origin(language="sw", native=0, machine=1, expert=0),
    )


def test_lengths_are_graphemes_of_all_that_is_shown(tmp_path: Path) -> None:
    # Yoruba "ọ̀" is two code points and one grapheme, and so is a family of emoji.
    turns = (Turn(role="user", text="ọ̀"),)
    shown = item(
        "s:1", "yo", context="ab", question="👨‍👩‍👧", options=("x", "yz"), answer=(0,), turns=turns, rationale="no"
    )
    found = describe(stage(tmp_path, shown))
    assert found.lengths[0].median == 1 + 2 + 1 + 3


def test_quantiles_are_lengths_that_occur(tmp_path: Path) -> None:
    found = describe(stage(tmp_path, *(item(f"s:{n}", question="x" * n) for n in range(1, 101))))
    assert found.lengths == (
        Length(source="s", language="es", items=100, low=5, quarter=25, median=50, three_quarters=75, high=95),
    )


def test_the_balance_is_counted_in_the_native_language_by_number_of_options(tmp_path: Path) -> None:
    def asked(number: int, options: int, right: tuple[int, ...], language: str = "es") -> Item:
        text = "native" if language == "es" else "machine"
        return item(f"s:{number}", language, options=("a", "b", "c")[:options], answer=right, text=text)

    three = [asked(number, 3, (number % 3 if number < 15 else 0,)) for number in range(30)]
    three += [asked(number, 3, (1,), "de") for number in range(40)]  # fuller, but translated
    more = [asked(100, 2, (1,)), asked(101, 3, ()), asked(102, 3, (0, 1)), item("u:1")]
    two, many = describe(stage(tmp_path, *three, *more)).balances
    assert (two.options, two.right, two.p_value) == (2, (0, 1), None)
    assert (many.language, many.options, many.right, many.questions) == ("es", 3, (20, 5, 5), 30)
    # By the definition of the statistic: squares of 10, -5 and -5 over 10, of two degrees of freedom.
    assert many.p_value == pytest.approx(chi2.sf((100 + 25 + 25) / 10, 2))
    assert describe(tmp_path / "quality").not_one_right == {"s": 2}


def test_findings_are_counted_once_an_item_and_not_where_overruled(tmp_path: Path) -> None:
    twice = [Finding(check="numbers", severity="review", field=field, message="x") for field in ("question", "options")]
    note = Finding(check="length", severity="note", field="question", message="x")
    review = Review(reviewer="R", day="2026-11-22", accuracy=5, fluency=5, completeness=5, overruled=("length",))
    found = describe(
        stage(
            tmp_path,
            item("s:1", findings=(*twice, note)),
            item("s:2", findings=(twice[0], note), review=(review,)),
        )
    )
    assert found.findings == (
        Found(check="length", severity="note", language="es", items=1),
        Found(check="numbers", severity="review", language="es", items=2),
    )


def test_clusters_that_sources_share_are_counted_by_pairs(tmp_path: Path) -> None:
    shared = [item(f"{source}:{number}", cluster=f"c{number}") for source in ("t", "s") for number in range(3)]
    third = [item("u:0", cluster="c0"), item("u:0", "sw", cluster="c0"), item("u:9")]
    assert describe(stage(tmp_path, *shared, *third)).crossings == (
        Crossing(first="s", second="t", clusters=3),
        Crossing(first="s", second="u", clusters=1),
        Crossing(first="t", second="u", clusters=1),
    )


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.tuples(st.sampled_from("stu"), st.integers(0, 9), st.sampled_from(["es", "sw"])), min_size=1))
def test_counts_are_those_of_the_items(
    tmp_path_factory: pytest.TempPathFactory, drawn: set[tuple[str, int, str]]
) -> None:
    items = [item(f"{source}:{n}", code, cluster=f"c{n // 2}") for source, n, code in sorted(drawn)]
    found = describe(stage(tmp_path_factory.mktemp("stats"), *items))
    clusters: dict[str, set[str]] = {}
    for one in items:
        clusters.setdefault(one.cluster, set()).add(one.source)
    assert found.items == len(items)
    assert found.families == len({one.family for one in items})
    assert found.clusters == len(clusters)
    assert {(s.source, s.language): s.items for s in found.sizes} == Counter(
        (one.source, one.language) for one in items
    )
    pairs = sum(len(names) * (len(names) - 1) // 2 for names in clusters.values())
    assert sum(crossing.clusters for crossing in found.crossings) == pairs


@pytest.mark.parametrize("name", ["import", "corpus", "release"])
def test_any_stage_can_be_described(tmp_path: Path, name: str) -> None:
    assert describe(stage(tmp_path, item("s:1"), name=name)).stage == name


def test_a_stage_half_written_or_changed_is_refused(tmp_path: Path) -> None:
    folder = stage(tmp_path, item("s:1"))
    file = folder / "s.es.parquet"
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(HashMismatchError, match=r"s\.es\.parquet"):
        describe(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"found no manifest\.json; expected the folder of a finished stage"):
        describe(folder)
