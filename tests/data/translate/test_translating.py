"""The whole stage against models under a test's control."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from globmed.core.dataset import read_items
from globmed.core.errors import EnvironmentFailedError, LimitReachedError, TermsError, UsageError
from globmed.core.item import Finding, Item, Turn
from globmed.core.store import read_manifest, read_records, writing_stage
from globmed.data.translate.outcomes import cost_rows, outcome_rows, untranslatable
from globmed.data.translate.plan import Share
from globmed.data.translate.translating import (
    NO_ORIGINAL,
    DroppedTranslation,
    estimate_translation,
    translate_dataset,
)
from globmed.data.translate.verdict import REVIEW
from globmed.data.translate.work import Job
from globmed.models.attempts import Patience
from globmed.models.budget import Cap, most_usage
from globmed.models.client import Message, Request
from globmed.models.journal import Journal
from globmed.models.paying import Effort

Make = Callable[..., Item]
Stage = Callable[[Sequence[Item]], Path]
MakeJob = Callable[..., Job]

QUICK = Effort(patience=Patience(retries=1, first_wait_seconds=0.01))


def run(job: Job, effort: Effort = QUICK) -> list[Item]:
    """Translate, and return the translations in the order of the items."""
    translate_dataset(job, effort=effort)
    return list(read_items(job.out / "translate", languages=job.plan.languages))


def dropped(job: Job) -> list[DroppedTranslation]:
    return list(read_records(job.out / "translate", DroppedTranslation, prefix="dropped.jsonl"))


def step_names(item: Item) -> list[str]:
    return [step.name for step in item.provenance.steps]


def test_every_text_is_translated_and_all_else_is_kept(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    first = item(1, context="A 5 mg tablet.", rationale="Because.", region="ES", turns=(Turn(role="user", text="Hi"),))
    made = run(job(stage([first])))[0]
    assert made.question == ">Which dose of drug 1?"
    assert (made.context, made.rationale, made.turns[0].text) == (">A 5 mg tablet.", ">Because.", ">Hi")
    assert made.options == (">dose 1", ">None of the above", "120/80")
    assert (made.family, made.answer, made.region, made.language) == ("made:1", (0,), "ES", "es")
    terms = made.provenance
    assert (terms.text, terms.model, terms.native_language, terms.licence) == ("machine", "one", "en", "MIT")
    assert step_names(made) == ["given", "candidate"]
    assert terms.steps[1].reply_key in Path(next((job(Path()).out / "replies").glob("one-*.journal"))).read_text()
    assert terms.prompt_hash == terms.steps[1].prompt_hash != ""
    assert "120/80" not in server.asked[0].keys
    originals = list(read_items(job(Path()).out / "translate", languages=["en"]))
    assert originals == [first]


def test_labels_come_from_the_table_of_languages(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    made = run(job(stage([item(1, options=("yes", "no", "maybe"))])))[0]
    assert made.options == ("sí", "no", "quizás")
    assert server.asked[0].keys == ["question"]


def test_a_text_that_many_items_share_is_asked_for_once(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    made = run(job(stage([item(number, context="The same long passage.") for number in range(1, 6)])))
    wanted = Counter(name for asked in server.asked for name in asked.keys)
    assert wanted == {"question": 5, "options[0]": 5, "options[1]": 1, "context": 1}
    assert all(one.options[1] == ">None of the above" and one.context == ">The same long passage." for one in made)
    assert step_names(made[1]).count("memory") == 2
    assert {step.cost_usd for step in made[1].provenance.steps if step.name == "memory"} == {0.0}


def test_who_waits_for_a_text_asks_when_its_owner_fails(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    server.answer = lambda asked: "no JSON" if "drug 1?" in asked.content else server.well(asked)
    made = run(job(stage([item(1), item(2), item(3)])))
    assert [one.family for one in made] == ["made:2", "made:3"]
    assert [one.options[1] for one in made] == [">None of the above"] * 2
    assert [one.reason for one in dropped(job(Path()))] == ["unreadable reply"]
    assert server.steps()["one", "candidate"] == 3 + 2 + 1


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("I translate: ...", "it is not JSON"),
        ('["a"]', "not an object"),
        ({"question": ">Q"}, "the key 'options[0]' is missing"),
        ('{"question": "a", "question": "b"}', "a key stands twice"),
        ({"question": ">Q", "options[0]": "", "options[1]": "x"}, "an empty one"),
        ({"question": ">Q", "options[0]": "a", "options[1]": "b", "answer": "A"}, "'answer' was not asked for"),
        ('{"question": "\\ud800", "options[0]": "a", "options[1]": "b"}', "half a surrogate pair"),
    ],
)
def test_what_cannot_be_read_is_said_and_asked_again(
    server: Any, item: Make, stage: Stage, job: MakeJob, bad: Any, said: str
) -> None:
    server.answer = lambda asked: server.well(asked) if asked.again else bad
    made = run(job(stage([item(1)])))[0]
    assert made.question == ">Which dose of drug 1?"
    assert said in server.asked[1].content
    assert len(server.asked) == 2
    assert "at attempt 2" in made.provenance.steps[-1].summary


def test_a_reply_that_was_cut_off_gets_twice_the_room(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    server.answer = lambda asked: server.well(asked) if asked.again else {"object": "{", "cut": True}
    run(job(stage([item(1)])))
    first, second = (asked.body["max_tokens"] for asked in server.asked)
    assert second == 2 * first


def test_a_lost_number_is_repaired_with_what_was_found(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    def answer(asked: Any) -> Any:
        wrong = asked.step == "candidate" and "drug 2?" in asked.content
        return server.well(asked) | {"question": ">Which dose?"} if wrong else server.well(asked)

    server.answer = answer
    made = run(job(stage([item(1), item(2)])))
    assert [one.question for one in made] == [">Which dose of drug 1?", ">Which dose of drug 2?"]
    repair = next(asked for asked in server.asked if asked.step == "repair")
    assert repair.keys == ["question"]
    assert "- question: a number is lost" in repair.content
    assert repair.translation["question"] == ">Which dose?"
    assert "repair" in step_names(made[1])
    assert made[1].provenance.findings == ()


def test_what_cannot_be_repaired_is_dropped_with_the_check(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    server.answer = lambda asked: (
        server.well(asked) | ({"question": ">Which?"} if "drug 2?" in asked.content else {})
        if asked.step != "critique"
        else GOOD
    )
    whole = job(stage([item(1), item(2)]), critic=server.spec("two"))
    made = run(whole)
    assert [one.family for one in made] == ["made:1"]
    (row,) = dropped(whole)
    assert (row.family, row.reason, row.model) == ("made:2", "blocked by numbers", "one")
    assert row.texts["question"] == ">Which?"
    # The repair gave the same again, so it was not asked for a second time.
    assert [step.name for step in row.steps].count("repair") == 1
    counts = [count for count in read_manifest(whole.out / "translate").counts if count.language == "es"]
    assert [(count.read, count.kept, count.dropped) for count in counts] == [(2, 1, {"blocked by numbers": 1})]
    assert server.steps()["two", "critique"] == 1, "nothing more is spent on what is blocked"


GOOD = {"accuracy": 5, "fluency": 5, "completeness": 5, "comments": []}
POOR = {
    "accuracy": 3, "fluency": 2, "completeness": 5, "comments": [{"field": "question", "comment": "Say it better."}]
}  # fmt: skip


def test_what_the_critic_wants_changed_is_refined_and_judged_again(
    server: Any, item: Make, stage: Stage, job: MakeJob
) -> None:
    def answer(asked: Any) -> Any:
        if asked.step == "critique":
            return GOOD if asked.translation["question"].startswith("better") else POOR
        return {"question": "better 1?"} if asked.step == "refine" else server.well(asked)

    server.answer = answer
    made = run(job(stage([item(1)]), critic=server.spec("two")))[0]
    assert made.question == "better 1?"
    assert step_names(made) == ["given", "candidate", "critique", "refine", "critique"]
    assert made.provenance.steps[2].summary == "accuracy 3, fluency 2, completeness 5"
    assert [step.model for step in made.provenance.steps[1:]] == ["one", "two", "one", "two"]
    assert made.provenance.findings == ()
    refine = next(asked for asked in server.asked if asked.step == "refine")
    assert refine.keys == ["question"]
    assert "- question: Say it better." in refine.content


def test_a_refinement_that_the_checks_block_is_taken_back(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    def answer(asked: Any) -> Any:
        if asked.step == "critique":
            return POOR
        return {"question": "better?"} if asked.step == "refine" else server.well(asked)

    server.answer = answer
    made = run(job(stage([item(1)]), critic=server.spec("two")))[0]
    assert made.question == ">Which dose of drug 1?"
    (found,) = made.provenance.findings
    assert (found.check, found.severity) == (REVIEW, "review")
    assert "accuracy 3, fluency 2" in found.message


def test_what_does_not_come_back_goes_to_review(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    def answer(asked: Any) -> Any:
        if asked.step == "back" and "drug 2?" in asked.content:
            return dict.fromkeys(asked.keys, "zzz")
        return server.well(asked)

    server.answer = answer
    whole = job(stage([item(1), item(2)]), back=server.spec("three"))
    first, second = run(whole)
    assert first.provenance.findings == ()
    assert second.provenance.findings[0].check == REVIEW
    assert "of the original come back" in second.provenance.findings[0].message
    back = next(asked for asked in server.asked if asked.step == "back")
    assert "from Spanish into English" in back.content
    assert "Which dose of drug" in back.content
    assert outcome_rows(whole.out / "translate") == [
        {"language": "es", "translator": "one", "accepted": 1, "review": 1, "dropped": {}}
    ]


def test_what_the_checks_want_looked_at_goes_to_review(item: Make, stage: Stage, job: MakeJob) -> None:
    made = run(job(stage([item(1, question="Which dose 1??")])))[0]
    assert [one.check for one in made.provenance.findings] == ["marks", REVIEW]


def test_no_critique_is_a_doubt(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    server.answer = lambda asked: {"accuracy": 9} if asked.step == "critique" else server.well(asked)
    made = run(job(stage([item(1)]), critic=server.spec("two")))[0]
    assert "no critique could be had (unreadable reply)" in made.provenance.findings[0].message
    assert server.steps()["two", "critique"] == 3


def test_nothing_is_asked_again_when_a_language_is_added(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    folder = stage([item(number) for number in range(4)])
    team = {"critic": server.spec("two"), "back": server.spec("three")}
    before = run(job(folder, **team))
    asked = len(server.asked)
    assert run(job(folder, **team)) == before
    assert len(server.asked) == asked, "the stage is up to date"
    both = run(job(folder, languages=("es", "sw"), **team))
    assert [one for one in both if one.language == "es"] == before
    new = server.asked[asked:]
    assert new
    assert all("Swahili" in one.content for one in new)


def test_the_manifest_names_models_and_not_their_addresses(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    whole = job(stage([item(1)]), critic=server.spec("two"))
    run(whole)
    manifest = read_manifest(whole.out / "translate")
    assert manifest.configuration["translators"] == [{"share": 1.0, "models": [["one", ""]]}]
    assert (manifest.configuration["critic"], manifest.configuration["back"]) == ([["two", ""]], [])
    assert server.url not in (whole.out / "translate" / "manifest.json").read_text()


def test_two_translators_each_do_their_share(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    shares = (Share(server.spec("one"), 0.75), Share(server.spec("two"), 0.25))
    made = run(job(stage([item(number) for number in range(200)]), translators=shares, languages=("es", "sw")))
    of_family = {(one.family, one.language): one.provenance.model for one in made}
    assert all(of_family[family, "sw"] == model for (family, code), model in of_family.items() if code == "es")
    assert 0.15 < sum(one.provenance.model == "two" for one in made) / len(made) < 0.35
    # Each has a memory of its own: a text of the one is none of the other.
    assert {step.model for one in made for step in one.provenance.steps[1:] if one.provenance.model == "two"} == {"two"}


def test_a_budget_stops_in_time_and_the_same_command_goes_on(
    server: Any, item: Make, stage: Stage, job: MakeJob
) -> None:
    whole = job(stage([item(number) for number in range(10)]), critic=server.spec("two"), back=server.spec("three"))
    for most in (4, 12, 19):
        with pytest.raises(LimitReachedError, match="raise it to go on"):
            run(whole, Effort(cap=Cap(requests=most)))
        assert len(server.asked) == most
        assert not (whole.out / "translate" / "manifest.json").exists()
    made = run(whole)
    assert len(made) == 10
    assert set(server.steps().values()) == {10}, "nothing was asked twice"


def test_what_was_under_way_at_the_end_of_a_run_may_have_been_paid_for(
    server: Any, item: Make, stage: Stage, job: MakeJob, tmp_path: Path
) -> None:
    folder = stage([item(1), item(2)])
    first = job(folder, out=tmp_path / "first")
    made = run(first)
    (path,) = (first.out / "replies").glob("one-*.journal")
    second = job(folder, out=tmp_path / "second")
    with Journal.open(second.out / "replies" / path.name) as journal:
        journal.ask([made[0].provenance.steps[1].reply_key])
    with pytest.raises(LimitReachedError, match="Spent: 2 requests"):
        run(second, Effort(cap=Cap(requests=2)))
    assert len(server.asked) == 3


def test_what_may_not_leave_the_machine_is_refused_before_anything_is_sent(
    server: Any, item: Make, stage: Stage, job: MakeJob
) -> None:
    bound = item(2, terms={"may_leave_machine": False, "may_be_redistributed": False, "licence": "DUA"})
    here = (Share(f"api:here@vllm+{server.url}", 1.0),)
    folder = stage([item(1), bound])
    for fields in (
        {},
        {"translators": here, "critic": server.spec("two")},
        {"translators": here, "back": server.spec("two")},
    ):
        for work in (translate_dataset, estimate_translation):
            with pytest.raises(TermsError, match=r"made:2/en .*DUA"):
                work(job(folder, **fields))
    assert not server.asked
    made = run(job(folder, translators=here))
    assert [one.provenance.may_leave_machine for one in made] == [True, False]
    assert made[1].provenance.may_be_redistributed is False
    assert made[1].provenance.licence == "DUA"


def test_a_dry_run_counts_what_the_run_then_sends(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    items = [item(number, context="The same passage." if number % 2 else "") for number in range(12)]
    shares = (Share(server.spec("one"), 0.5), Share(server.spec("two"), 0.5))
    whole = job(
        stage(items), translators=shares, critic=server.spec("three"), back=server.spec("four"), languages=("es", "sw")
    )
    estimates = estimate_translation(whole)
    assert not server.asked
    counted = Counter[tuple[str, str]]()
    for one in estimates:
        if one.step in {"candidate", "back"}:
            counted[one.model, one.step] += one.requests
        assert one.requests <= one.requests_at_most
        assert one.input_tokens + one.output_tokens <= one.tokens_at_most
        assert one.cost_usd is None, "nobody knows the price"
    critiques = sum(one.requests for one in estimates if one.step == "critique")
    run(whole)
    sent = server.steps()
    assert counted == Counter({which: number for which, number in sent.items() if which[1] != "critique"})
    assert sent["three", "critique"] == 24
    assert critiques == 24 + 2 * 4, "0.3 of 12 are expected to be judged a second time, in each language"
    assert {one.step for one in estimate_translation(whole)} == set(), "all of it is answered"


def test_a_dry_run_goes_on_from_what_is_answered(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    whole = job(stage([item(number) for number in range(10)]), back=server.spec("three"))
    with pytest.raises(LimitReachedError):
        run(whole, Effort(cap=Cap(requests=14)))
    counts = {one.step: one.requests for one in estimate_translation(whole)}
    assert counts == {"back": 6}


def test_nothing_takes_more_than_the_estimate_says_at_most(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    whole = job(stage([item(1, context="A long passage of many words. " * 100)]))
    candidate = next(one for one in estimate_translation(whole) if one.step == "candidate")
    server.answer = lambda _: {"object": "{", "cut": True}
    assert run(whole) == []
    assert [one.reason for one in dropped(whole)] == ["truncated reply"]
    sent = [Request(messages=(Message("user", one.content),)) for one in server.asked]
    read = sum(most_usage(request).input for request in sent)
    written = sum(one.body["max_tokens"] for one in server.asked)
    assert len(server.asked) == candidate.requests_at_most == 3
    assert 0.8 < (read + written) / candidate.tokens_at_most <= 1


def test_prices_count(server: Any, item: Make, stage: Stage, job: MakeJob, tmp_path: Path, monkeypatch: Any) -> None:
    host = server.url.removesuffix("/v1")
    own = f"""
[model.priced]
kind = "proprietary"
summary = "ours"
endpoint = "ours"
name = "priced"
price = {{ input = 1.0, output = 2.0, on = 2026-01-01, source = "https://example.org" }}
[preset.ours]
summary = "ours"
base_url = "{host}/v1"
source = "https://example.org"
"""
    (tmp_path / "own.toml").write_text(own)
    monkeypatch.setenv("GLOBMED_CATALOG", str(tmp_path / "own.toml"))
    whole = job(stage([item(1), item(2)]), translators=(Share("priced", 1.0),))
    (candidate, repair) = estimate_translation(whole)
    assert (candidate.step, repair.step) == ("candidate", "repair")
    assert candidate.cost_usd == pytest.approx((candidate.input_tokens + 2 * candidate.output_tokens) / 1e6)
    with pytest.raises(LimitReachedError):
        run(whole, Effort(cap=Cap(cost_usd=0.001)))
    assert not server.asked
    server.answer = lambda asked: server.well(asked) if asked.again else "This is no JSON object."
    made = run(whole, Effort(cap=Cap(cost_usd=1.0)))
    assert len(server.asked) == 4
    replies = [json.dumps(server.well(one)) if one.again else "This is no JSON object." for one in server.asked]
    read, written = sum(len(one.content) // 4 for one in server.asked), sum(len(reply) // 4 for reply in replies)
    paid = (read + 2 * written) / 1e6
    assert sum(step.cost_usd or 0.0 for one in made for step in one.provenance.steps) == pytest.approx(paid)
    (_, row) = sorted(cost_rows(whole.out / "translate"), key=lambda row: row["step"] == "candidate")[-2:]
    assert row["US$"] == pytest.approx(paid)


def test_the_schema_is_sent_where_the_endpoint_has_it(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    here = (Share(f"api:here@vllm+{server.url}", 1.0),)
    run(job(stage([item(1)]), translators=here, critic=server.spec("two")))
    first, second = server.asked
    schema = first.body["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["required"] == first.keys == ["question", "options[0]", "options[1]"]
    assert "response_format" not in second.body


def test_glossary_terms_that_occur_are_in_the_prompt(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    terms = {"drug": ["fármaco"], "drug 1": ["fármaco 1", "medicamento 1"], "rug": ["alfombra"], "kidney": ["riñón"]}
    run(job(stage([item(1)]), glossaries={("en", "es"): terms, ("en", "fr"): {"drug 1": ["médicament"]}}))
    assert "so:\n- drug 1 = fármaco 1 / medicamento 1\n\n" in server.asked[0].content
    assert "riñón" not in server.asked[0].content
    assert "médicament" not in server.asked[0].content


def test_a_memory_of_an_earlier_stage_is_taken(
    server: Any, item: Make, stage: Stage, job: MakeJob, tmp_path: Path
) -> None:
    earlier = job(stage([item(1)]), out=tmp_path / "earlier")
    run(earlier)
    asked = len(server.asked)
    made = run(job(stage([item(1), item(2)]), memory=(earlier.out / "translate",), back=server.spec("two")))
    candidates = [one for one in server.asked[asked:] if one.step == "candidate"]
    assert [one.keys for one in candidates] == [["question", "options[0]"]]
    assert "drug 2?" in candidates[0].content
    assert [one.options[1] for one in made] == [">None of the above"] * 2


def test_a_memory_takes_what_experts_revised_first_and_nothing_that_waits_for_review(
    server: Any, item: Make, stage: Stage, job: MakeJob, tmp_path: Path
) -> None:
    waits = Finding(check="translation_review", severity="review", field="", message="m")

    def made(number: int, option: str, **terms: Any) -> Item:
        options = (f"dose {number}", option, "120/80")
        return item(number, language="es", options=options, terms={"text": "machine", "model": "old"} | terms)

    rows = [item(number) for number in (1, 2, 3)]
    rows += [made(1, "dudoso", findings=(waits,)), made(2, "a máquina"), made(3, "de experto", text="expert")]
    with writing_stage(tmp_path / "memory", "release") as writer:
        writer.write("made.en.parquet", rows[:3], Item)
        writer.write("made.es.parquet", rows[3:], Item)
    found = run(job(stage([item(1), item(7)]), memory=(tmp_path / "memory",)))
    assert [one.options[1] for one in found] == ["de experto"] * 2
    assert [one.keys for one in server.asked] == [["question", "options[0]"]] * 2, "what waits for review is not taken"
    assert '"options[1]": "de experto"' in server.asked[0].content


def test_calls_that_failed_are_asked_again_by_the_next_run(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    whole = job(stage([item(1), item(2)]))
    server.answer = lambda _: 400
    with pytest.raises(EnvironmentFailedError, match="every call of one failed: HTTP 400"):
        run(whole)
    server.answer = lambda asked: 400 if "drug 2?" in asked.content else server.well(asked)
    assert [one.family for one in run(whole)] == ["made:1"]
    assert [one.reason for one in dropped(whole)] == ["no answer"]
    server.answer = server.well
    assert len(run(whole)) == 2
    assert dropped(whole) == []


def test_only_what_is_missing_is_translated_and_from_the_native_text(item: Make, stage: Stage, job: MakeJob) -> None:
    native = {"native_language": "es"}
    items = [
        item(1, language="es", question="¿Cuál 1?", terms=native),
        item(1, language="en", terms=native | {"text": "machine"}),
        item(2),
    ]
    folder = stage(items)
    made = run(job(folder, languages=("es", "fr")))
    assert [(one.family, one.language) for one in made] == [
        ("made:1", "es"), ("made:2", "es"), ("made:1", "fr"), ("made:2", "fr"),
    ]  # fmt: skip
    assert [one.question for one in made if one.language == "fr"] == [">¿Cuál 1?", ">Which dose of drug 2?"]
    from_english = job(folder, languages=("fr",), from_language="es")
    assert [one.family for one in run(from_english)] == ["made:1"]
    assert untranslatable(from_english.out / "translate") == {"fr": 1}
    (count,) = (count for count in read_manifest(from_english.out / "translate").counts if count.language == "fr")
    assert count.dropped == {NO_ORIGINAL: 1}


def test_nobody_judges_his_own_translation_unless_told_to(server: Any, item: Make, stage: Stage, job: MakeJob) -> None:
    folder = stage([item(1)])
    for role in ("critic", "back"):
        with pytest.raises(UsageError, match="one would judge its own translations"):
            run(job(folder, **{role: server.spec("one")}))
        assert len(run(job(folder, **{role: server.spec("one")}, same_model=True))) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"languages": ("xx",)}, "language 'xx' is not in the table"),
        ({"languages": ()}, "languages to translate into: none"),
        ({"translators": (Share("a", 0.5), Share("b", 0.4))}, "add up to 1"),
        ({"translators": (Share("a", 0.5), Share("a", 0.5))}, "each once"),
        ({"translators": (Share("no-such-model", 1.0),)}, "no model named 'no-such-model'"),
    ],
)
def test_wrong_use_is_said(item: Make, stage: Stage, job: MakeJob, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run(job(stage([item(1)]), **fields))


def test_a_stage_is_not_written_over_while_it_is_read(item: Make, stage: Stage, job: MakeJob) -> None:
    first = job(stage([item(1)]))
    run(first)
    with pytest.raises(UsageError, match="written over while it is read"):
        run(job(first.out / "translate", languages=("fr",)))


def test_a_stage_with_nothing_to_translate_is_a_stage(server: Any, job: MakeJob, tmp_path: Path) -> None:
    with writing_stage(tmp_path / "none", "corpus") as writer:
        writer.write("made.en.parquet", [], Item)
    assert run(job(tmp_path / "none")) == []
    assert not server.asked
