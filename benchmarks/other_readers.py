"""How other tools read an option's letter from a reply, each as its own tasks use it; for `reading.py --beside`.

Each reader takes a reply, the options' texts and the language, and returns a letter or None. Those whose tool is not
installed are left out: pip install lm_eval==0.4.13 inspect_ai==0.3.285 lighteval==0.13.0
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

LETTERS = "ABCDEFGHIJ"
Reader = Callable[[str, Sequence[str], str], str | None]


def other_readers() -> dict[str, Reader]:
    """Return the readers whose tools are installed, by name."""
    found = {"lm_eval": lm_eval_reader, "lighteval": lighteval_reader, "inspect_ai": inspect_reader}
    return {name: make() for name, make in found.items() if find_spec(name)}


def lm_eval_reader() -> Reader:
    """Return lm-evaluation-harness's multi-choice regex filter, with the settings of its MMLU task with reasoning."""
    from lm_eval.filters.extraction import MultiChoiceRegexFilter

    reads = MultiChoiceRegexFilter(r"(\([A-Z]\))", group_select=-1, ignore_case=True, ignore_punctuation=True)

    def read(reply: str, options: Sequence[str], language: str) -> str | None:
        del language
        ((found,),) = reads.apply([[reply]], [{"choices": list(options)}])
        letter = found.strip("()")
        return letter if letter and letter in LETTERS[: len(options)] else None

    return read


def inspect_reader() -> Reader:
    """Return the parser of Inspect's multiple-choice solver; it expects "ANSWER: X", which its own prompt asks for."""
    from inspect_ai.model import ModelOutput
    from inspect_ai.solver import TaskState
    from inspect_ai.solver._multiple_choice import parse_answers

    def read(reply: str, options: Sequence[str], language: str) -> str | None:
        del language
        output = ModelOutput.from_content("none", reply)
        state = TaskState(
            model="none", sample_id=0, epoch=0, input="", messages=[], choices=list(options), output=output
        )
        found = parse_answers(state, multiple_correct=False)
        return found.pop() if len(found) == 1 else None

    return read


def lighteval_reader() -> Reader:
    """Return LightEval's extractor of option letters, with the settings of its GPQA task.

    It has no words for Korean, Wolof, Yoruba and Zulu: there it looks for English ones.
    """
    from lighteval.metrics.utils.extractive_match_utils import (
        IndicesExtractionConfig,
        extract_target_from_pred,
        get_extraction_regexes_inspect,
    )
    from lighteval.utils.language import Language

    known = {"fr": "fra", "de": "deu", "es": "spa", "pt": "por", "zh": "zho", "ja": "jpn", "sw": "swa"}
    config = IndicesExtractionConfig(prefix_for_extraction="NativeLetters", try_extract_without_anchor=True)

    def read(reply: str, options: Sequence[str], language: str) -> str | None:
        patterns = get_extraction_regexes_inspect([config], Language(known.get(language, "eng")), len(options))
        found = extract_target_from_pred(reply, patterns)
        letter = found[0].strip("()") if found else ""
        return letter if letter and letter in LETTERS else None

    return read
