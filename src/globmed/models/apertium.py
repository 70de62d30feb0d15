"""Apertium, a translation engine of rules that needs neither network nor weights (https://www.apertium.org).

Its Debian packages hold a few directions; English to Portuguese goes by Spanish, as a chain of two. Words that its
dictionaries lack stay as they are, without marks (`-u`). What it would change for no reason is kept from it: markup,
placeholders in braces and addresses.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import regex

from globmed.core.errors import EnvironmentFailedError, UsageError
from globmed.models.apertium_process import NUL, Engine, EngineFailedError
from globmed.models.client import Reply, Request
from globmed.models.pace import Caps, Pace
from globmed.models.sentences import cut, put_together, to_translate

_MODES = {
    ("en", "es"): "eng-spa",
    ("es", "en"): "spa-eng",
    ("es", "pt"): "es-pt",
    ("pt", "es"): "pt-es",
    ("es", "fr"): "es-fr",
    ("fr", "es"): "fr-es",
}
_PIVOT = "es"
_PACKAGES = {
    "eng-spa": "apertium-eng-spa",
    "spa-eng": "apertium-eng-spa",
    "es-pt": "apertium-es-pt",
    "pt-es": "apertium-es-pt",
    "es-fr": "apertium-fr-es",
    "fr-es": "apertium-fr-es",
}
_INSTALL = "Run: apt-get install apertium apertium-eng-spa apertium-es-pt apertium-fr-es"
_WAIT_SECONDS = 30.0

# Markup, placeholders, addresses, and the marks that the engine swallows or stops at.
_KEPT = regex.compile(r"</?\p{L}[^<>\n]*>|\{[^{}\n]*\}|(?:https?://|www\.)\S+|[~^\\]")
# Characters with a meaning in the engine's stream format.
_SPECIAL = regex.compile(r"[\\^$/\[\]{}<>@]")
_MARKED = regex.compile(r"\\(.)|\[([0-9a-f]*)\]", regex.DOTALL)
_BLANKS = regex.compile(r" {2,}")
# "A 67-year-old man" becomes "un hombrede67años": its data for English to Spanish forget the blanks.
_MEASURE = regex.compile(r"\d-\p{L}")
_GLUED = regex.compile(r"(?<=\p{L})de(\d+) ?(?=\p{L})")


class Apertium:
    """One direction of Apertium; satisfies `globmed.models.client.Client`."""

    on_this_machine = True
    batch_size = 64
    pace = Pace("Apertium", Caps(concurrency=1))

    def __init__(self, source: str, target: str, *, wait_seconds: float = _WAIT_SECONDS) -> None:
        """Find the modes of a direction; no process is started yet.

        Args:
            source: BCP 47 code.
            target: BCP 47 code.
            wait_seconds: how long one sentence may take.

        Raises:
            UsageError: the engine has no such direction.
            EnvironmentFailedError: the program or a package of data is not installed.
        """
        modes = _modes(source, target)
        self.model = "apertium:" + "+".join(modes)
        self.revision = _versions(modes)
        self._engines = [Engine(mode, wait_seconds=wait_seconds) for mode in modes]
        self._in_use = threading.Lock()

    def sent(self, request: Request) -> Mapping[str, Any]:
        """Return the text: the engine has no settings."""
        return {"messages": msgspec.to_builtins(request.messages)}

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply]:
        """Translate each request's one message; line breaks and white space at both ends stay as they are."""
        return await asyncio.to_thread(self.answer_now, batch)

    async def close(self) -> None:
        """End the processes; a later answer starts them again."""
        await asyncio.to_thread(self._close)

    def answer_now(self, batch: Sequence[Request]) -> list[Reply]:
        """Translate a batch; see `answer`. A sentence that the engine fails at makes its text's reply an error."""
        parts = [cut(request.messages[-1].content) for request in batch]
        with self._in_use:
            translated, failures = self._translate(to_translate(parts))
        return [_reply(one, translated, failures) for one in parts]

    def _translate(self, sentences: list[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the translation of each sentence, and of those that failed why."""
        done = dict(zip(sentences, sentences, strict=True))
        failures: dict[str, str] = {}
        for engine in self._engines:
            texts = list(done.values())
            answers = engine.answers([in_stream(text) for text in texts])
            for (sentence, text), answer in zip(list(done.items()), answers, strict=True):
                if isinstance(answer, EngineFailedError):
                    failures[sentence] = str(answer)
                    del done[sentence]
                else:
                    done[sentence] = from_stream(answer, like=text)
        return done, failures

    def _close(self) -> None:
        with self._in_use:
            for engine in self._engines:
                engine.close()


def in_stream(sentence: str) -> str:
    """Return a sentence as the engine reads it.

    Special characters are escaped. What it must not touch stands in brackets, as hexadecimal digits: the engine waits
    forever where a circumflex comes last, even an escaped one.
    """
    text = sentence.replace(NUL, " ")
    kept = [match.encode(errors="replace").hex() for match in _KEPT.findall(text)]
    between = [_SPECIAL.sub(r"\\\g<0>", part) for part in _KEPT.split(text)]
    return between[0] + "".join(f"[{one}]{after}" for one, after in zip(kept, between[1:], strict=True))


def from_stream(answer: str, *, like: str) -> str:
    """Return what the engine wrote as text, with the blanks that it doubles or forgets where words move set right.

    Args:
        answer: in the engine's stream format.
        like: the sentence it is the translation of.
    """
    text = _MARKED.sub(lambda match: match[1] or bytes.fromhex(match[2]).decode(), answer).strip()
    text = _GLUED.sub(r" de \1 ", text) if _MEASURE.search(like) else text
    return text if _BLANKS.search(like) else _BLANKS.sub(" ", text)


def _reply(parts: Sequence[str], translated: Mapping[str, str], failures: Mapping[str, str]) -> Reply:
    failed = next((failures[part] for part in parts[::2] if part in failures), None)
    if failed is not None:
        return Reply(status="error", finish=failed)
    return Reply(status="ok", text=put_together(parts, translated), finish="stop")


def _modes(source: str, target: str) -> list[str]:
    steps = [(source, target)] if _PIVOT in {source, target} else [(source, _PIVOT), (_PIVOT, target)]
    if source == target or not all(step in _MODES for step in steps):
        have = ", ".join(f"{one} to {other}" for one, other in _MODES)
        raise UsageError(
            f"apertium cannot translate from {source} to {target}; it has {have}, and chains of two of them"
        )
    modes = [_MODES[step] for step in steps]
    _check_installed(modes)
    return modes


def _check_installed(modes: Sequence[str]) -> None:
    if shutil.which("apertium") is None:
        raise EnvironmentFailedError(f"this needs the program 'apertium', which is not installed. {_INSTALL}")
    installed = _output("apertium", "-l").split()
    for mode in modes:
        if mode not in installed:
            raise EnvironmentFailedError(f"apertium has no mode {mode!r} installed. {_INSTALL}")


def _versions(modes: Sequence[str]) -> str:
    """Return the versions of program and data, as Debian names them; elsewhere the program's own."""
    if shutil.which("dpkg-query") is None:
        return _output("apertium", "-V").strip()
    packages = ["apertium", "lttoolbox", *dict.fromkeys(_PACKAGES[mode] for mode in modes)]
    found = _output("dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages).splitlines()
    return ", ".join(found) or _output("apertium", "-V").strip()


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
