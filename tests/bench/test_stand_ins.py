"""What is asked in place of items: kept in the run, whole, of the same data, and asked in English where translated."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from globmed.bench.asked import asked_folder
from globmed.bench.condition import Condition
from globmed.bench.pipeline import bench_run
from globmed.bench.puts import puts
from globmed.bench.runner import run_benchmark
from globmed.bench.selection import Plan
from globmed.bench.stand_ins import (
    COSTS,
    TO_ENGLISH,
    StandIns,
    TranslationCost,
    keep_stand_ins,
    stand_ins_folder,
    translation_usage,
)
from globmed.core.dataset import read_items
from globmed.core.errors import InputError, UsageError
from globmed.core.item import Item, Provenance
from globmed.core.store import read_manifest, stage_hash, writing_stage
from globmed.models.client import Reply, Request
from globmed.models.pace import Pace

MakeData = Callable[..., Path]
TEST = 24
BOTH = Plan(answers=("generate", "generate/translated"), scale_limits=False)


class Remote:
    """A client off this machine that notes what it was asked."""

    model, revision, on_this_machine, batch_size = "remote", "1", False, 4

    def __init__(self) -> None:
        self.pace = Pace("remote.example.org")
        self.asked: list[Request] = []

    def sent(self, request: Request) -> Mapping[str, Any]:
        return {"messages": msgspec.to_builtins(request.messages), "settings": msgspec.to_builtins(request.settings)}

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply]:
        self.asked += batch
        return [Reply(status="ok", text="B") for _ in batch]

    async def close(self) -> None:
        pass


def translations(data: Path, folder: Path, *, without: int = 0, of: Path | None = None) -> Path:
    """Write translations of a data folder's test items as `bench translate` leaves them."""
    made = []
    for item in read_items(data):
        if item.language != "en" and item.split == "test":
            terms = Provenance(native_language="en", licence="", model="translator", translated_from=item.language)
            texts = {"question": f"[{item.question}]", "options": tuple(f"<{one}>" for one in item.options)}
            made.append(item.made_into(provenance=terms, **texts))
    made = made[without:]
    costs = [
        TranslationCost(family=one.family, language=one.language, input_tokens=7, output_tokens=5, cost_usd=0.5)
        for one in made
    ]
    configuration, inputs = {"models": [["translator", "1"]]}, {"data": stage_hash(of or data)}
    with writing_stage(folder / TO_ENGLISH, TO_ENGLISH, configuration=configuration, inputs=inputs) as writer:
        for code in sorted({one.language for one in made}):
            writer.write(f"made.{code}.parquet", [one for one in made if one.language == code], Item)
        writer.write(COSTS, costs, TranslationCost)
    return folder


def asked_texts(run: Path, plan: Plan, answer: str, code: str) -> list[str]:
    found = puts(run, plan, {})
    return [
        one.request.messages[-1].content for one in found if one.condition.name == answer and one.item.language == code
    ]


def test_translations_are_asked_in_english_beside_the_items_own_text(make_data: MakeData, tmp_path: Path) -> None:
    data, out = make_data(), tmp_path / "run"
    plan = keep_stand_ins(BOTH, data=data, out=out, translations=translations(data, tmp_path / "tr"))
    client = Remote()
    run_benchmark([client], data=data, plan=plan, out=out)
    # The English items are the same under both conditions, and asked once.
    assert len(client.asked) == 3 * TEST + 2 * TEST
    direct, translated = (asked_texts(out, plan, answer, "sw") for answer in BOTH.answers)
    assert all("Jibu" in text and "[" not in text for text in direct)
    assert all('End your reply with the line "Answer: X"' in text and "A. <p" in text for text in translated)
    english = [asked_texts(out, plan, answer, "en") for answer in BOTH.answers]
    assert english[0] == english[1]


def test_the_run_records_whose_translations_it_asked(make_data: MakeData, tmp_path: Path) -> None:
    data, out = make_data(), tmp_path / "run"
    folder = translations(data, tmp_path / "tr")
    bench_run(["chance"], data=data, plan=BOTH, out=out, translations=folder)
    recorded = read_manifest(asked_folder(out)).configuration["translations"]
    assert recorded == {"stage": stage_hash(folder / TO_ENGLISH), "models": [["translator", "1"]]}
    counts = {count.language: (count.read, count.kept) for count in read_manifest(stand_ins_folder(out)).counts}
    assert counts == {"es": (TEST, TEST), "sw": (TEST, TEST)}


def test_what_a_translation_cost_stays_with_the_run(make_data: MakeData, tmp_path: Path) -> None:
    data, out = make_data(), tmp_path / "run"
    keep_stand_ins(BOTH, data=data, out=out, translations=translations(data, tmp_path / "tr"))
    item = next(read_items(data, languages=["sw"], splits=["test"]))
    found = StandIns(out).find(item, Condition.named("generate/translated"))
    assert found is not None
    assert found.cost is not None
    assert found.item.provenance.model == "translator"
    back = replace(found.cost, input_tokens=3, cost_usd=0.25)
    assert translation_usage(found.cost, back) == (10, 10, 0.75)
    assert translation_usage(found.cost, replace(back, cost_usd=None)) == (10, 10, None), "one price is not known"
    assert StandIns(out).find(item, Condition()) is None
    assert translation_usage(None, None) == (0, 0, 0.0)


def test_the_same_run_goes_on_and_another_is_refused(make_data: MakeData, tmp_path: Path) -> None:
    data, out = make_data(), tmp_path / "run"
    folder = translations(data, tmp_path / "tr")
    bench_run(["chance"], data=data, plan=BOTH, out=out, translations=folder)
    before = stage_hash(stand_ins_folder(out))
    again = bench_run(["chance"], data=data, plan=BOTH, out=out, translations=folder)
    assert again.models[0].stats.asked == 0
    assert stage_hash(stand_ins_folder(out)) == before
    other = translations(data, tmp_path / "other")
    manifest = (other / TO_ENGLISH / "manifest.json").read_text().replace('"translator"', '"another"')
    (other / TO_ENGLISH / "manifest.json").write_text(manifest)
    with pytest.raises(UsageError, match="made with other data, questions or translations"):
        bench_run(["chance"], data=data, plan=BOTH, out=out, translations=other)
    assert stage_hash(stand_ins_folder(out)) == before


@pytest.mark.parametrize("answers", [("generate/translated",), ("generate",)])
def test_translations_and_their_condition_go_together(
    make_data: MakeData, tmp_path: Path, answers: tuple[str, ...]
) -> None:
    data = make_data()
    folder = None if "generate/translated" in answers else translations(data, tmp_path / "tr")
    with pytest.raises(UsageError, match=r"expected both or neither.*globmed bench translate") as refused:
        bench_run(["chance"], data=data, plan=Plan(answers=answers), out=tmp_path / "run", translations=folder)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_missing_translations_are_counted_and_the_command_named(make_data: MakeData, tmp_path: Path) -> None:
    data = make_data()
    folder = translations(data, tmp_path / "tr", without=5)
    plan = replace(BOTH, languages=("en", "es"), limit=20)
    with pytest.raises(UsageError, match="have no translation") as refused:
        bench_run(["chance"], data=data, plan=plan, out=tmp_path / "run", translations=folder)
    said = str(refused.value)
    assert "\n" not in said
    assert "of 20 items have no translation, first made:3" in said
    assert f"globmed bench translate {data} --task mcqa --split test --language en --language es --limit 20" in said
    assert not (tmp_path / "run" / "asked").exists()


def test_translations_of_other_data_are_refused(make_data: MakeData, tmp_path: Path) -> None:
    data, other = make_data(), make_data("other", languages=("en", "sw"))
    folder = translations(data, tmp_path / "tr", of=other)
    with pytest.raises(UsageError, match="translations of other data") as refused:
        bench_run(["chance"], data=data, plan=BOTH, out=tmp_path / "run", translations=folder)
    assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="to_english"):
        bench_run(["chance"], data=data, plan=BOTH, out=tmp_path / "run", translations=data)


def test_a_run_without_its_translations_asks_nobody(make_data: MakeData, tmp_path: Path) -> None:
    client = Remote()
    with pytest.raises(InputError, match="no translation in the run"):
        run_benchmark([client], data=make_data(), plan=BOTH, out=tmp_path / "run")
    assert client.asked == []


def with_drug(item: Item) -> Item:
    name = {"en": "amoxicillin", "es": "amoxicilina", "sw": "amoksisilini"}[item.language]
    even = int(item.family.partition(":")[2]) % 2 == 0
    return replace(item, question=f"{name}?" if even else item.question, options=(name, *item.options[1:]))


def test_english_names_of_drugs_are_asked_where_the_data_has_them(make_data: MakeData, tmp_path: Path) -> None:
    data, out = make_data(change=with_drug), tmp_path / "run"
    # English is not asked, but the data holds it.
    plan = Plan(answers=("generate", "generate/english_drugs"), languages=("es", "sw"), scale_limits=False)
    bench_run(["chance"], data=data, plan=plan, out=out)
    for code, own in (("es", "amoxicilina"), ("sw", "amoksisilini")):
        direct, english = (asked_texts(out, plan, answer, code) for answer in plan.answers)
        assert all(own in text and "amoxicillin" not in text for text in direct)
        assert [text.replace(own, "amoxicillin") for text in direct] == english


def test_without_an_english_version_there_are_no_english_names(make_data: MakeData, tmp_path: Path) -> None:
    plan = Plan(answers=("generate/english_drugs",))
    with pytest.raises(UsageError, match="english_drugs takes the names from the English version"):
        bench_run(["chance"], data=make_data(languages=("es", "sw")), plan=plan, out=tmp_path / "run")
    assert not (tmp_path / "run" / "asked").exists()
