"""The item refuses what no stage could use, and survives a trip through JSON."""

import msgspec
import pytest

from globmed.core.errors import InputError
from globmed.core.item import Finding, Item, Provenance

NATIVE = Provenance(native_language="es", licence="CC0", place="exam.json:7")


def item(*, family: str = "headqa:1", language: str = "es", answer: tuple[int, ...] = (1,)) -> Item:
    return Item(
        family=family,
        language=language,
        kind="mcqa",
        source="headqa",
        split="test",
        question="¿Cuál?",
        options=("sí", "no"),
        answer=answer,
        provenance=NATIVE,
    )


def test_the_cluster_is_the_family_unless_told() -> None:
    assert item().cluster == "headqa:1"
    assert msgspec.structs.replace(item(), cluster="medqa:2").cluster == "medqa:2"


@pytest.mark.parametrize("index", [-1, 2, 25])
def test_an_answer_must_point_at_an_option(index: int) -> None:
    with pytest.raises(InputError, match=rf"exam.json:7: found answer index {index}; expected .* number of options, 2"):
        item(answer=(index,))


@pytest.mark.parametrize(("family", "language"), [("", "es"), ("headqa:1", "")])
def test_family_and_language_must_be_named(family: str, language: str) -> None:
    with pytest.raises(InputError, match=r"exam.json:7.*both to be named"):
        item(family=family, language=language)


def test_decoding_holds_an_item_to_the_same_rules() -> None:
    encoded = msgspec.json.encode(item())
    assert msgspec.json.decode(encoded, type=Item) == item()
    with pytest.raises(InputError, match="answer index 9"):
        msgspec.json.decode(encoded.replace(b'"answer":[1]', b'"answer":[9]'), type=Item)


def test_an_item_is_frozen() -> None:
    field = "split"
    with pytest.raises(AttributeError, match="immutable"):
        setattr(item(), field, "train")


@pytest.mark.parametrize(
    ("severities", "blocked"), [((), False), (("note", "review"), False), (("note", "block"), True)]
)
def test_a_blocking_finding_blocks(severities: tuple[str, ...], *, blocked: bool) -> None:
    findings = tuple(
        msgspec.convert({"check": "c", "severity": one, "field": "options", "message": "m"}, Finding)
        for one in severities
    )
    checked = msgspec.structs.replace(item(), provenance=msgspec.structs.replace(NATIVE, findings=findings))
    assert checked.blocked is blocked


def test_what_is_made_from_an_item_is_under_its_terms() -> None:
    terms = msgspec.structs.replace(NATIVE, licence="ask first", may_leave_machine=False)
    source = msgspec.structs.replace(item(), provenance=terms)
    machine = Provenance(native_language="es", licence="CC0-1.0", text="machine", model="translator")
    made = source.made_into(language="wo", question="Laaj", provenance=machine)
    assert (made.language, made.question, made.family) == ("wo", "Laaj", source.family)
    assert (made.provenance.text, made.provenance.model) == ("machine", "translator")
    assert made.provenance.licence == "ask first"
    assert not made.provenance.may_leave_machine
    assert made.provenance.may_be_redistributed
    again = made.made_into(language="yo", provenance=msgspec.structs.replace(machine, may_be_redistributed=False))
    assert not again.provenance.may_leave_machine
    assert not again.provenance.may_be_redistributed
