"""Apertium as Debian packages it; skipped where it is not installed."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from globmed.core.errors import EnvironmentFailedError, UsageError
from globmed.models.apertium import Apertium, from_stream, in_stream
from globmed.models.apertium_process import Engine, EngineFailedError
from globmed.models.client import Message, Reply, Request, reply_key
from globmed.models.opening import open_translator


def installed() -> bool:
    try:
        return bool(Apertium("en", "es"))
    except EnvironmentFailedError:
        return False


needs_apertium = pytest.mark.skipif(not installed(), reason="Apertium is not installed: make apertium")


@pytest.fixture
def spanish() -> Iterator[Apertium]:
    client = Apertium("en", "es")
    yield client
    asyncio.run(client.close())


def ask(client: Apertium, *texts: str) -> list[Reply]:
    return client.answer_now([Request(messages=(Message("user", text),)) for text in texts])


@needs_apertium
@pytest.mark.parametrize(
    ("source", "target", "model", "text", "expected"),
    [
        ("en", "es", "apertium:eng-spa", "The patient has pain.", "El paciente tiene dolor."),
        ("es", "en", "apertium:spa-eng", "El paciente tiene dolor.", "The patient has ache."),
        ("es", "pt", "apertium:es-pt", "El paciente tiene fiebre.", "O paciente tem febre."),
        ("pt", "es", "apertium:pt-es", "O paciente tem febre.", "El paciente tiene fiebre."),
        ("es", "fr", "apertium:es-fr", "El paciente tiene dolor.", "Le patient a douleur."),
        ("fr", "es", "apertium:fr-es", "Le patient a une douleur.", "El paciente tiene un dolor."),
        ("en", "pt", "apertium:eng-spa+es-pt", "The patient has pain.", "O paciente tem dor."),
        ("en", "fr", "apertium:eng-spa+es-fr", "The patient has pain.", "Le patient a douleur."),
    ],
)
def test_every_direction_translates(source: str, target: str, model: str, text: str, expected: str) -> None:
    client = Apertium(source, target)
    assert client.model == model
    assert client.on_this_machine
    assert "apertium" in client.revision.lower()
    assert ask(client, text) == [Reply(status="ok", text=expected, finish="stop")]
    asyncio.run(client.close())


@needs_apertium
def test_lines_blanks_markup_numbers_and_unknown_words_stay(spanish: Apertium) -> None:
    text = (
        "  The <b>dose</b> of frobnicates\r\n\r\nis 1,234.5 mg/dL (3/4) for {patient_name} [1].\n"
        "It is ~5 \u00b5g; 10^6 cells at https://a.org/the_child $5 \\ 中文\t"
    )
    assert ask(spanish, text)[0].text == (
        "  La <b>dosis</b> de frobnicates\r\n\r\nEs 1,234.5 mg/dL (3/4) para {patient_name} [1].\n"
        "Es ~5 \u00b5g; 10^6 celdas en https://a.org/the_child $5 \\ 中文\t"
    )


@needs_apertium
def test_the_blanks_that_it_forgets_around_measures_are_put_back(spanish: Apertium) -> None:
    text = "A 67-year-old man with a 2-day history."
    assert ask(spanish, text)[0].text == "Un hombre de 67 años con una historia de 2 días."
    assert ask(spanish, "The Vide3x device.")[0].text == "El Vide3x aparato."


@needs_apertium
def test_texts_do_not_change_each_other_and_keep_their_order(spanish: Apertium) -> None:
    texts = [f"The patient {number} has pain" for number in range(300)]
    together = [reply.text for reply in ask(spanish, *texts)]
    assert together == [f"El paciente {number} tiene dolor" for number in range(300)]
    assert [ask(spanish, text)[0].text for text in texts[:5]] == together[:5]


@needs_apertium
def test_nothing_but_marks_is_left_as_it_is(spanish: Apertium) -> None:
    texts = ["^", "$", "[]", "\\", "5 %", "\0", "*", "[last 1]"]
    assert [reply.status for reply in ask(spanish, *texts)] == ["ok"] * len(texts)
    assert [reply.text for reply in ask(spanish, *texts[:5])] == texts[:5]


@pytest.fixture(scope="module")
def shared() -> Iterator[Apertium]:
    client = Apertium("en", "es", wait_seconds=10)
    yield client
    asyncio.run(client.close())


@needs_apertium
@settings(max_examples=40)
@given(texts=st.lists(st.text(st.sampled_from("aB \n^$[]{}/\\<>@*~+#&_|é中\u0301\0\t.")), max_size=20))
def test_any_text_gets_an_answer_with_its_line_breaks(shared: Apertium, texts: list[str]) -> None:
    for text, reply in zip(texts, ask(shared, *texts), strict=True):
        assert reply.status == "ok"
        assert reply.text.count("\n") == text.count("\n")


@needs_apertium
def test_a_process_that_dies_costs_one_text_and_is_started_again() -> None:
    engine = Engine("eng-spa", wait_seconds=20)
    # An unclosed word is no valid stream: a program of the pipeline ends itself at it.
    child, broken, patient = engine.answers(["A child", "^broken", "A patient"])
    engine.close()
    assert child == "Un niño\n"
    assert isinstance(broken, EngineFailedError)
    assert patient == "Un paciente\n"


@needs_apertium
def test_an_engine_that_hangs_is_an_error_of_the_text_after_the_time_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Killed, the program leaves its temporary file behind.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    client = Apertium("en", "es")
    assert ask(client, "A child")[0].status == "ok"
    (engine,) = client._engines
    process = engine._process
    assert process is not None
    engine._wait_seconds = 0.5
    os.killpg(process.pid, signal.SIGSTOP)
    reply = ask(client, "A child")[0]
    assert reply.status == "error"
    assert reply.finish == "apertium eng-spa: no answer in 0.5 seconds"
    asyncio.run(client.close())


def is_running(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@needs_apertium
def test_closing_ends_all_processes_and_a_later_answer_starts_them_again(spanish: Apertium) -> None:
    first = ask(spanish, "A child")
    process = spanish._engines[0]._process
    assert process is not None
    asyncio.run(spanish.close())
    until = time.monotonic() + 10
    while is_running(process.pid):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert ask(spanish, "A child") == first


@needs_apertium
def test_opening_starts_nothing_and_the_key_is_that_of_text_direction_and_version() -> None:
    one, other = (open_translator("apertium", source="en", target=code) for code in ("es", "pt"))
    assert one is not None
    assert other is not None
    request = Request(messages=(Message("user", "A child"),))
    assert reply_key(one, request) != reply_key(other, request)
    assert one._engines[0]._process is None  # type: ignore[attr-defined]


@needs_apertium
def test_a_direction_it_lacks() -> None:
    with pytest.raises(UsageError, match="cannot translate from en to sw; it has en to es"):
        Apertium("en", "sw")
    with pytest.raises(UsageError, match="expected 'apertium' alone"):
        open_translator("apertium:eng-spa", source="en", target="es")


def test_a_missing_program_names_the_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFailedError, match="apt-get install apertium apertium-eng-spa apertium-es-pt"):
        Apertium("en", "es")


def test_a_missing_direction_names_the_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "apertium"
    program.write_text("#!/bin/sh\necho '  spa-eng'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(EnvironmentFailedError, match=r"has no mode 'eng-spa' installed\. Run: apt-get install"):
        Apertium("en", "es")


@given(st.text())
def test_the_stream_gives_back_the_text(text: str) -> None:
    assert from_stream(in_stream(text), like="  ") == text.replace("\0", " ").strip()


def test_what_is_no_engine_is_none() -> None:
    assert open_translator("gpt-4o", source="en", target="es") is None
