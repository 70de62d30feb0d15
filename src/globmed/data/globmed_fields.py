"""Reading the fields of a row of GlobMed, whatever its dataset calls them.

The names in `NAMES` are those that the original publishers, the Hugging Face copies of their data and globmed's own
layout (`globmed.data.release.layout`) use. A row whose fields cannot be told from them is an error that lists the
fields it has, so that the missing name is one word to add here.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from globmed.core.errors import InputError
from globmed.core.item import Kind
from globmed.core.language import language

Row = Mapping[str, Any]

NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "family", "question_id", "qid", "pubid", "example_id", "idx", "index", "pairid"),
    "question": ("question", "full_question", "qtext", "query", "message"),
    "hypothesis": ("hypothesis", "conclusion", "sentence2", "question"),
    "context": ("context", "contexts", "premise", "supp_set", "sentence1", "abstract"),
    "options": ("options", "choices", "answer_options"),
    "right": (
        *("answer_idx", "answer_index", "correct_option", "correct_answer", "final_decision", "gold_label", "label"),
        *("label_cat", "answer"),
    ),
    "answers": ("answers", "reference_answers", "reference", "references", "answer", "long_answer", "response"),
    "rationale": ("explanation", "rationale", "exp", "full_answer", "long_answer"),
    "specialty": ("specialty", "subject_name", "category", "field"),
}
"""What a field is for to the names it may have, the surest first; case does not matter."""
FROM_ZERO = {"answer_idx", "answer_index"}
"""Names whose whole numbers count options from 0."""
ENTAILED = {"entailment": 0, "pos": 0, "yes": 0, "true": 0, "not entailment": 1, "not_entailment": 1, "no": 1, "neg": 1}
ENTAILED |= {"contradiction": 1, "neutral": 1, "false": 1}
LABELS = ("entailment", "not entailment")


class Fields:
    """A row, its fields by what they are for."""

    def __init__(self, row: Row, place: str) -> None:
        """Take a row of a JSON file, and where it stands."""
        self._row = {name.casefold(): value for name, value in row.items()}
        self._found = ", ".join(row)
        self.place = place

    def value(self, name: str) -> Any:
        """Return the value of a field of globmed's own layout, or None."""
        return self._row.get(name)

    def text(self, role: str) -> str:
        """Return a text by what it is for; empty where no field is for that.

        Raises:
            InputError: it is no text, nor a list of texts.
        """
        name = self._name(role)
        return "\n".join(self._texts(name, self._row[name])) if name else ""

    def needed(self, role: str) -> str:
        """Return a text that a row cannot do without.

        Raises:
            InputError: no field is for that, or it is no text.
        """
        if not self._name(role):
            raise self._unknown(role)
        return self.text(role)

    def listed(self, role: str) -> tuple[str, ...]:
        """Return texts by what they are for, without empty ones.

        Raises:
            InputError: no field is for that, or it holds something else.
        """
        name = self._name(role)
        if not name:
            raise self._unknown(role)
        return tuple(text for text in self._texts(name, self._row[name]) if text.strip())

    def key(self) -> str:
        """Return the row's own key; empty where it has none."""
        name = self._name("id")
        value = self._row[name] if name else ""
        return str(value).strip() if isinstance(value, str | int) else ""

    def options(self) -> dict[str, str]:
        """Return the options by their letters or numbers, without absent ones at the end; empty where there are none.

        Raises:
            InputError: they are neither texts by key nor a list of texts.
        """
        name = self._name("options")
        value = self._row[name] if name else self._columns()
        if isinstance(value, list):
            value = dict(zip(string.ascii_uppercase, value, strict=False))
        if not isinstance(value, dict):
            raise self._odd(name, value, "a list of texts, or texts by letter")
        while value and next(reversed(value.values())) is None:
            value = dict(list(value.items())[:-1])
        for option in value.values():
            if not isinstance(option, str):
                raise self._odd(name, option, "a text for every option")
        return value

    def right(self, options: Mapping[str, str]) -> tuple[int, ...]:
        """Return the indices of the right options, given as keys, texts or, where the name says so, numbers from 0.

        Raises:
            InputError: no field says it, or it points at no option.
        """
        name = self._name("right")
        if not name:
            raise self._unknown("right")
        value = self._row[name]
        several = value if isinstance(value, list) else [value]
        if isinstance(value, str) and value.strip() not in options.values() and "," in value:
            several = [part for part in value.split(",") if part.strip()]
        return tuple(sorted({self._index(name, one, options) for one in several}))

    def label(self, kind: Kind, code: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Return options and right one of a row that has a label in place of options.

        Args:
            kind: `nli` for entailment or not, else yes, no or maybe.
            code: of the language whose words for yes, no and maybe are the options.

        Raises:
            InputError: no field says it, or none of the labels known.
        """
        name = self._name("right")
        if not name:
            raise self._unknown("options")
        said = str(self._row[name]).strip().casefold()
        words = language(code)
        decisions = (words.yes, words.no, words.maybe)
        known = ENTAILED if kind == "nli" else {"yes": 0, "no": 1, "maybe": 2}
        known = known | ({} if kind == "nli" else {word.casefold(): index for index, word in enumerate(decisions)})
        if said not in known:
            raise self._odd(name, self._row[name], f"options, or one of {', '.join(known)}")
        return (LABELS if kind == "nli" else decisions), (known[said],)

    def _index(self, name: str, value: Any, options: Mapping[str, str]) -> int:
        keys, texts = list(options), [text.strip() for text in options.values()]
        said = str(value).strip()
        if said in keys:
            return keys.index(said)
        if said in texts:
            return texts.index(said)
        if name in FROM_ZERO and isinstance(value, int) and 0 <= value < len(keys):
            return value
        raise self._odd(name, value, f"one of {', '.join(keys)}, or the text of an option")

    def _columns(self) -> dict[str, Any]:
        """Return options that stand in fields of their own: opa to opd, or option_a and so on."""
        for pattern in ("op{}", "option_{}", "{}"):
            names = {letter.upper(): pattern.format(letter) for letter in string.ascii_lowercase[:10]}
            found = {letter: self._row[name] for letter, name in names.items() if name in self._row}
            if len(found) > 1:
                return found
        return {}

    def _name(self, role: str) -> str:
        return next((name for name in NAMES[role] if self._row.get(name) is not None), "")

    def _texts(self, name: str, value: Any) -> Sequence[str]:
        if isinstance(value, dict):
            value = value.get("contexts", value)
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise self._odd(name, value, "a text or a list of texts")
        return texts

    def _odd(self, name: str, value: Any, expected: str) -> InputError:
        shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:60]}..."
        return InputError.at(f"{self.place}: {name or 'options'}", found=shown, expected=expected)

    def _unknown(self, role: str) -> InputError:
        wanted = "right answer" if role == "right" else role
        return InputError.at(
            self.place,
            found=f"the fields {self._found}",
            expected=f"one that holds the {wanted}, such as {' or '.join(NAMES[role][:3])}",
            remedy="If one of them does, add its name to NAMES in globmed/data/globmed_fields.py",
        )
