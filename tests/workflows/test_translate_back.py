"""Answers in English are translated back once, and it is these that are graded and judged, never the English text."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from globmed.bench.asked import asked_folder
from globmed.bench.judging.asked import Questions
from globmed.bench.pipeline import bench_run, bench_score
from globmed.bench.runner import run_benchmark
from globmed.bench.saved import as_answered, asked_and_saved, asked_models
from globmed.bench.scoring import Score
from globmed.bench.selection import Plan, Translations
from globmed.bench.translated_back import ANSWERS, BackTranslation, back_folder
from globmed.cli.main import app
from globmed.core.errors import LimitReachedError, TermsError, UsageError
from globmed.core.item import Criterion, Item, Provenance, Turn
from globmed.core.store import read_manifest, read_records, writing_stage
from globmed.models.baseline import Chance
from globmed.models.budget import Cap
from globmed.models.client import Settings
from globmed.models.opening import open_client
from globmed.models.paying import Effort
from globmed.workflows.translate_back import estimate_back, translate_back, verify_back
from globmed.workflows.translate_test import TranslateTest, translate_for_test

QUESTIONS = 5
CONDITIONS = ("generate", "generate/translated")
ENGLISH = (
    "Let the child rest, give plenty of clean water to drink, and see a nurse the same day if the fever lasts longer "
    "than that, case {}, or if your child breathes fast, will not drink, or gets worse in any other way."
)
SWAHILI = (
    "Pumzika, kunywa maji mengi safi na salama, na umwone muuguzi siku hiyo hiyo ikiwa homa inaendelea, kisa cha {}, "
    "au inazidi kuwa mbaya kwa mtoto wako."
)
NUMBER = re.compile(r"#(\d+)#")


@dataclass
class Served:
    """What a server was asked: `mt` translates, other models answer in English whatever the language.

    Attributes:
        url: of the server.
        contents: of what it was asked, with the model's id.
        broken: of an answer that `mt` does not translate.
        mends: it does, asked again.
        status: that it fails with instead.
    """

    url: str = ""
    contents: list[tuple[str, str]] = field(default_factory=list)
    broken: str = ""
    mends: bool = False
    status: int = 0

    def answers(self) -> list[str]:
        """The answers that were translated back."""
        return [content for model, content in self.contents if model == "mt" and "Translate the answer" in content]

    def answer(self, body: dict[str, Any]) -> str | int:
        content = body["messages"][-1]["content"]
        self.contents.append((body["model"], content))
        if body["model"] != "mt":
            return ENGLISH.format(_number(content))
        if self.broken and self.broken in content and not (self.mends and "could not be used" in content):
            return self.status or "I would rather not."
        item = json.JSONDecoder().raw_decode(content.partition("The item, as JSON:\n")[2])[0]
        keys = re.search(r"as a string:\n(\[.*?\n\])", content, re.DOTALL)
        assert keys is not None
        return json.dumps({name: _translated(name, item[name], content) for name in json.loads(keys[1])})


def _number(text: str) -> str:
    found = NUMBER.search(text)
    assert found is not None
    return found[1]


def _translated(name: str, text: str, content: str) -> str:
    """Give the same English for a question in every language, and Swahili or Yoruba for an answer."""
    if name.startswith("turns"):
        return "Hello, in English"
    if name == "question":
        return f"English question #{_number(text)}#?"
    number = text.partition("case ")[2].partition(",")[0]
    return SWAHILI.format(number) if "into Swahili" in content else f"Yorùbá {number}"


@pytest.fixture
def server(serve_chat: Callable[..., Any]) -> Served:
    served = Served()
    served.url = serve_chat(served.answer).url
    return served


def made(number: int, code: str, *, task: str = "lfqa", bound: bool = False) -> Item:
    rubric = task == "rubric"
    return Item(
        family=f"made:{number}",
        language=code,
        kind="lfqa",
        source="made",
        split="test",
        question=f"{code} question #{number}#?",
        reference=() if rubric else ((ENGLISH if code == "en" else SWAHILI).format(number),),
        rubric=(Criterion(text="Says to rest", points=5),) if rubric else (),
        turns=(Turn(role="user", text=f"{code}: hi"), Turn(role="assistant", text=f"{code}: hello")) if rubric else (),
        provenance=Provenance(native_language="en", licence="MIT", may_leave_machine=not bound),
    )


def write_data(folder: Path, **kind: Any) -> Path:
    with writing_stage(folder, "release") as writer:
        for code in ("en", "sw", "yo"):
            writer.write(f"made.{code}.parquet", [made(number, code, **kind) for number in range(QUESTIONS)], Item)
    return folder


MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(server: Served, tmp_path: Path) -> MakeRun:
    """Ask `lm` open questions directly and translated; no answer is translated back yet."""

    def make(*, task: str = "lfqa", models: tuple[str, ...] = ("lm",), runs: int = 1) -> Path:
        data, run = write_data(tmp_path / "data", task=task), tmp_path / "run"
        plan = Plan(task=task, answers=CONDITIONS, scale_limits=False, runs=runs)
        test = TranslateTest(data=data, plan=plan, model=f"api:mt@{server.url}", out=tmp_path / "english")
        translate_for_test(test)
        names = [f"api:{model}@{server.url}" for model in models]
        bench_run(names, data=data, plan=plan, out=run, translations=test.out)
        return run

    return make


def scores(run: Path) -> list[Score]:
    bench_score(run)
    return list(read_records(run / "scores", Score))


def of(rows: list[Score], answer: str, code: str) -> list[Score]:
    return [row for row in rows if (row.answer, row.language) == (answer, code)]


def test_what_is_graded_is_the_answer_as_it_was_translated_back(make_run: MakeRun, server: Served) -> None:
    run = make_run()
    counts = translate_back(run, f"api:mt@{server.url}").counts
    assert {(one.language, one.read, one.kept) for one in counts} == {("sw", 5, 5), ("yo", 5, 5)}
    assert sorted(re.findall(r"case (\d+)", " ".join(server.answers()))) == sorted("0123401234")
    rows = scores(run)
    direct, translated = (of(rows, answer, "sw") for answer in CONDITIONS)
    assert {row.fidelity for row in direct} == {"other"}, "lm answers in English"
    assert {row.fidelity for row in translated} == {"asked"}
    assert all(row.chrf == pytest.approx(1) and row.rouge_l == 1 for row in translated)
    assert all((row.chrf or 0) < 0.3 for row in direct)
    # Swahili references and a Yoruba answer: the English text would share as little, but in another language.
    assert {row.outcome for row in of(rows, "generate/translated", "yo")} == {"answered"}
    assert of(rows, "generate/translated", "en")[0].chrf == pytest.approx(1)


def test_the_english_answer_is_kept_and_one_reply_may_go_into_two_languages(make_run: MakeRun, server: Served) -> None:
    run = make_run()
    translate_back(run, f"api:mt@{server.url}")
    kept = list(read_records(back_folder(run), BackTranslation, prefix=ANSWERS))
    assert {(one.english, one.text) for one in kept if one.language == "sw"} == {
        (ENGLISH.format(number), SWAHILI.format(number)) for number in range(QUESTIONS)
    }
    # The questions are the same in English, and so is the reply.
    assert {one.key for one in kept if one.language == "sw"} == {one.key for one in kept if one.language == "yo"}
    (name,) = asked_models(run)
    rows, replies = as_answered(run, name)
    assert {replies[row.key].text for row in rows} == {ENGLISH.format(number) for number in range(QUESTIONS)}
    back = {(row.language, replies.text[:6]) for row, replies in _answers(run, name) if "translated" in row.answer}
    assert back == {("en", "Let th"), ("sw", "Pumzik"), ("yo", "Yorùbá")}


def _answers(run: Path, name: str) -> Iterator[tuple[Any, Any]]:
    rows, replies = asked_and_saved(run, name)
    return ((row, replies[row.key]) for row in rows)


def test_both_translations_stand_in_the_costs(make_run: MakeRun, server: Served) -> None:
    run = make_run()
    translate_back(run, f"api:mt@{server.url}")
    rows = scores(run)
    direct, translated = (of(rows, answer, "sw") for answer in CONDITIONS)
    assert {(row.input_tokens, row.output_tokens, row.translation_tokens) for row in direct} == {(100, 10, 0)}
    # The reply, the question into English, and the answer back: 110 tokens each.
    assert {(row.input_tokens, row.output_tokens, row.translation_tokens) for row in translated} == {(300, 30, 220)}
    assert {row.translation_usd for row in direct} == {0.0}
    assert {row.translation_usd for row in translated} == {None}, "nobody knows the price"


def test_a_model_that_translates_its_own_answers_back_had_a_hand(make_run: MakeRun, server: Served) -> None:
    run = make_run(models=("lm", "other"))
    translate_back(run, f"api:mt@{server.url}")
    assert not any(row.had_a_hand for row in scores(run))
    folder = back_folder(run) / "manifest.json"
    folder.write_text(folder.read_text().replace('"mt"', '"lm"'))
    hands = {(row.model, row.answer, row.language) for row in scores(run) if row.had_a_hand}
    assert hands == {("lm", "generate/translated", code) for code in ("sw", "yo")}


def test_without_back_translations_there_is_no_number(make_run: MakeRun, server: Served) -> None:
    run = make_run()
    with pytest.raises(
        UsageError, match="10 of 10 answers of lm are in English and not translated back yet"
    ) as refused:
        bench_score(run)
    assert "\n" not in str(refused.value)
    assert f"Run: globmed bench translate-back {run} --model MODEL" in str(refused.value)
    with pytest.raises(UsageError, match="not translated back yet"):
        Questions(run, "pointwise", Settings())
    translate_back(run, f"api:mt@{server.url}")
    # Another model that is asked later has answers of its own.
    run_benchmark([open_client(f"api:other@{server.url}")], data=run.parent / "data", plan=_asked(run), out=run)
    with pytest.raises(UsageError, match="10 of 10 answers of other are in English"):
        bench_score(run)
    sent = len(server.answers())
    translate_back(run, f"api:mt@{server.url}")
    assert len(server.answers()) == sent, "they are word for word those that were translated before"
    assert len(of(scores(run), "generate/translated", "sw")) == 2 * QUESTIONS


def _asked(run: Path) -> Plan:
    configuration = read_manifest(asked_folder(run)).configuration
    translations = configuration["translations"]
    models = tuple((model, revision) for model, revision in translations["models"])
    return Plan(
        task="lfqa",
        answers=CONDITIONS,
        scale_limits=False,
        translations=Translations(stage=translations["stage"], models=models),
    )


def test_what_cannot_be_translated_is_an_error_and_no_number(make_run: MakeRun, server: Served) -> None:
    run = make_run()
    server.broken = "case 3,"
    counts = translate_back(run, f"api:mt@{server.url}").counts
    assert {one.language: one.dropped for one in counts} == {code: {"unreadable reply": 1} for code in ("sw", "yo")}
    rows = {row.family: row for row in of(scores(run), "generate/translated", "sw")}
    lost = rows.pop("made:3")
    assert (lost.outcome, lost.reply_status, lost.chrf, lost.fidelity) == ("error", "error", 0.0, "undecided")
    assert lost.translation_tokens == 110 + 3 * 110, "three attempts were billed"
    assert {row.outcome for row in rows.values()} == {"answered"}
    (name,) = asked_models(run)
    said = {reply.finish for _, reply in _answers(run, name) if reply.status == "error"}
    assert said == {"not translated back: unreadable reply"}
    assert all(one.holds for one in verify_back(run))


def test_every_attempt_is_billed(make_run: MakeRun, server: Served) -> None:
    run = make_run()
    server.broken, server.mends = "case 3,", True
    translate_back(run, f"api:mt@{server.url}")
    tokens = {row.family: row.translation_tokens for row in of(scores(run), "generate/translated", "sw")}
    assert tokens == {f"made:{number}": 330 if number == 3 else 220 for number in range(QUESTIONS)}


def test_what_nobody_answered_is_asked_again(make_run: MakeRun, server: Served) -> None:
    run = make_run()
    server.broken, server.status = "case 3,", 400
    counts = translate_back(run, f"api:mt@{server.url}").counts
    assert {one.language: one.dropped for one in counts} == {code: {"no answer": 1} for code in ("sw", "yo")}
    with pytest.raises(UsageError, match="2 of 10 answers of lm are in English"):
        bench_score(run)
    server.broken = ""
    server.contents.clear()
    translate_back(run, f"api:mt@{server.url}")
    assert len(server.answers()) == 2
    assert {row.outcome for row in of(scores(run), "generate/translated", "sw")} == {"answered"}


def test_a_cap_stops_it_and_it_goes_on_from_there(make_run: MakeRun, server: Served) -> None:
    run, model = make_run(), f"api:mt@{server.url}"
    expected = estimate_back(run, model)
    assert {(one.language, one.step, one.requests) for one in expected} == {("sw", "answer", 5), ("yo", "answer", 5)}
    assert not server.answers()
    with pytest.raises(LimitReachedError):
        translate_back(run, model, effort=Effort(cap=Cap(requests=7)))
    assert len(server.answers()) == 7
    assert sum(one.requests for one in estimate_back(run, model)) == 3
    translate_back(run, model)
    assert len(server.answers()) == len(set(server.answers())) == 10
    before = (back_folder(run) / ANSWERS).stat().st_mtime_ns
    translate_back(run, model)
    assert (back_folder(run) / ANSWERS).stat().st_mtime_ns == before
    assert len(server.answers()) == 10


def test_another_translator_is_refused(make_run: MakeRun, server: Served) -> None:
    run = make_run()
    translate_back(run, f"api:mt@{server.url}")
    for work in (translate_back, estimate_back):
        with pytest.raises(UsageError, match="was translated back by mt") as refused:
            work(run, f"api:lm@{server.url}")
        assert "\n" not in str(refused.value)
    assert len(server.answers()) == 10


def test_a_run_that_answers_nothing_in_english_is_refused(tmp_path: Path, server: Served) -> None:
    data = write_data(tmp_path / "data")
    run_benchmark([Chance()], data=data, plan=Plan(task="lfqa", languages=("sw",)), out=tmp_path / "run")
    with pytest.raises(UsageError, match="no answers in English to translate back") as refused:
        translate_back(tmp_path / "run", f"api:mt@{server.url}")
    assert "\n" not in str(refused.value)


def test_answers_to_items_that_may_not_leave_are_sent_nowhere(make_run: MakeRun, server: Served) -> None:
    run = make_run()
    items = [made(number, code, bound=True) for code in ("en", "sw", "yo") for number in range(QUESTIONS)]
    manifest = read_manifest(asked_folder(run))
    with writing_stage(asked_folder(run), "asked", configuration=manifest.configuration) as writer:
        writer.write("items.parquet", items, Item)
    for work in (translate_back, estimate_back):
        with pytest.raises(TermsError, match="made:0/sw"):
            work(run, f"api:mt@{server.url}")
    assert not server.answers()


def test_verify_finds_a_translation_that_nobody_made(make_run: MakeRun, server: Served) -> None:
    run = make_run()
    assert list(verify_back(run)) == []
    manifest = translate_back(run, f"api:mt@{server.url}")
    (verdict,) = verify_back(run)
    assert verdict.holds, verdict.found
    rows = list(read_records(back_folder(run), BackTranslation, prefix=ANSWERS))
    rows[4] = msgspec.structs.replace(rows[4], text=f"{rows[4].text} Usiogope.")
    configuration, inputs = manifest.configuration, manifest.inputs
    with writing_stage(back_folder(run), "translated_back", configuration=configuration, inputs=inputs) as writer:
        writer.write(ANSWERS, rows, BackTranslation)
    (verdict,) = verify_back(run)
    assert not verdict.holds
    assert "1 of 10 are not what the translator replied" in verdict.found
    (back_folder(run) / ANSWERS).write_bytes(b"no")
    (verdict,) = verify_back(run)
    assert "The file changed after it was written" in verdict.found


def test_a_judge_sees_what_the_one_who_asked_would(make_run: MakeRun, server: Served) -> None:
    run = make_run()
    translate_back(run, f"api:mt@{server.url}")
    put = Questions(run, "pointwise", Settings()).put_to(open_client(f"api:judge@{server.url}"))
    seen = {
        (one.row.answer, one.row.language): one.request.messages[0].content
        for one in put
        if one.request and one.row.family == "made:2"
    }
    translated = seen["generate/translated", "sw"]
    assert "sw question #2#?" in translated
    assert translated.count(SWAHILI.format(2)) == 2, "the answer, and the reference that says the same"
    assert ENGLISH.format(2) not in translated
    assert ENGLISH.format(2) in seen["generate", "sw"]


def test_a_conversation_is_asked_in_english_and_its_answer_translated_back(make_run: MakeRun, server: Served) -> None:
    run = make_run(task="rubric")
    assert not any("Says to rest" in content for _, content in server.contents), "what it is judged by is not sent"
    translate_back(run, f"api:mt@{server.url}")
    rows = of(scores(run), "generate/translated", "sw")
    assert {(row.chrf, row.fidelity, row.outcome) for row in rows} == {(None, "asked", "answered")}
    put = list(Questions(run, "rubric", Settings()).put_to(open_client(f"api:judge@{server.url}")))
    request = next(one.request for one in put if (one.row.answer, one.row.language) == ("generate/translated", "sw"))
    assert request is not None
    content = request.messages[0].content
    assert "Says to rest" in content
    assert "sw: hello" in content
    assert "Pumzika" in content


@pytest.mark.skipif(shutil.which("apertium") is None, reason="apertium is not installed")
def test_an_engine_translates_one_text_at_a_time(server: Served, tmp_path: Path) -> None:
    data, run = tmp_path / "data", tmp_path / "run"
    with writing_stage(data, "release") as writer:
        for code in ("en", "es"):
            writer.write(f"made.{code}.parquet", [made(number, code) for number in range(2)], Item)
    plan = Plan(task="lfqa", answers=CONDITIONS, scale_limits=False)
    translate_for_test(TranslateTest(data=data, plan=plan, model="apertium", out=tmp_path / "english"))
    model = f"api:lm@{server.url}"
    bench_run([model], data=data, plan=plan, out=run, translations=tmp_path / "english")
    (count,) = translate_back(run, "apertium").counts
    assert (count.language, count.kept) == ("es", 2)
    assert read_manifest(back_folder(run)).configuration["models"][0][0] == "apertium:eng-spa"
    assert all("agua" in one.text for one in read_records(back_folder(run), BackTranslation, prefix=ANSWERS))
    assert {row.fidelity for row in of(scores(run), "generate/translated", "es")} == {"asked"}
    assert {row.translation_usd for row in of(scores(run), "generate/translated", "es")} == {0.0}
    assert all(one.holds for one in verify_back(run))


def globmed(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_the_road_from_data_to_costs(server: Served, tmp_path: Path) -> None:
    data, english, run = write_data(tmp_path / "data"), tmp_path / "english", tmp_path / "run"
    mt, conditions = f"api:mt@{server.url}", ("--answer", "generate", "--answer", "generate/translated")
    globmed("bench", "translate", data, "--task", "lfqa", "--model", mt, "--out", english)
    ask = ("bench", "run", "--data", data, "--task", "lfqa", "--model", f"api:lm@{server.url}", "--out", run)
    asked = globmed(*ask, *conditions, "--no-scale-limits", "--translations", english)
    assert f"next: globmed bench translate-back {run} --model MODEL" in asked
    with pytest.raises(UsageError, match="not translated back yet"):
        globmed("bench", "score", run)
    (sw, yo) = json.loads(globmed("bench", "translate-back", run, "--model", mt, "--estimate", "--json"))
    assert (sw["requests"], yo["requests"], sw["step"]) == (5, 5, "answer")
    back = json.loads(globmed("bench", "translate-back", run, "--model", mt, "--json"))
    assert {row["language"]: row["kept"] for row in back} == {"sw": 5, "yo": 5}
    assert f"next: globmed bench score {run}" in globmed("bench", "translate-back", run, "--model", mt)
    globmed("bench", "score", run)
    costs = json.loads(globmed("bench", "costs", run, "--json"))
    tokens = {(row["answer"], row["language"]): (row["tokens_per_reply"], row["translation_tokens"]) for row in costs}
    assert tokens["generate", "sw"] == (110, 0)
    assert tokens["generate/translated", "sw"] == (330, 5 * 220)
    assert "translating: to English, and open answers back" in globmed("bench", "costs", run)
    verified = {row["part"]: row["holds"] for row in json.loads(globmed("bench", "verify", run, "--json"))}
    assert verified[f"translated_back/{ANSWERS}"] == verified["files of translated_back"] == "yes"
    assert set(verified.values()) == {"yes"}
