"""Under what condition an item is asked and read. Conditions are crossed by naming several."""

from __future__ import annotations

import re
from typing import Literal, get_args

import msgspec

from globmed.core.errors import UsageError, did_you_mean

Answer = Literal["generate", "score_options", "score_letters"]

# The word in a condition's name for each field that is set or not, in the order of the name.
_WORDS = {
    "byte": "per_byte",
    "prior": "against_prior",
    "closed": "closed_book",
    "english": "english",
    "held_out": "held_out",
    "steps": "steps",
    "permuted": "permuted",
    "unmarked": "unmarked",
    "own_labels": "own_labels",
    "english_drugs": "english_drugs",
    "translated": "translated",
}
# What answer modes and words mean, for people.
_MODES = {
    "generate": "free reply, read",
    "score_options": "likelihood of the option’s text",
    "score_letters": "likelihood of the option’s letter",
}
_MEANINGS = {
    "byte": "per byte",
    "prior": "less that without the question",
    "closed": "without the context",
    "english": "instructions in English",
    "held_out": "the second phrasing",
    "steps": "reasoning first",
    "permuted": "options in another order each run",
    "unmarked": "Yoruba and Wolof without marks",
    "own_labels": "options labelled in the language’s own script",
    "english_drugs": "names of drugs in English",
    "translated": "translated to English, asked in English",
}
# What a translation into English leaves nothing of, or would have to be translated itself.
_NOT_TRANSLATED = ("english", "unmarked", "own_labels", "english_drugs", "shots")
_SHOTS = re.compile(r"([1-9]\d?)_shot")
SHOTS_MAX = 32


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """Under what condition an item is asked and read; each field is crossed with every other.

    Attributes:
        answer: free text, the likelihood of the options' texts, or of their letters.
        per_byte: divide the likelihood of an option's text by its UTF-8 bytes; decides the reading alone, so replies
            can be scored again the other way.
        against_prior: subtract the likelihood that an option's text has without the question.
        closed_book: leave the item's context out.
        english: instructions in English, around an item in its own language.
        held_out: the phrasing that no model is trained on.
        steps: ask for the reasoning before the answer.
        permuted: options in another order in each repetition, the same one in every language.
        unmarked: text without tone marks and underdots, as many people type Yoruba and Wolof; other languages as ever.
        own_labels: options labelled in the script of the language (`globmed.bench.own_labels`); A, B, C where that is
            Latin.
        english_drugs: names of drugs as they stand in the item's English version (`globmed.bench.english_drugs`).
        translated: the item translated to English by a stated model, asked in English, and scored as the language's
            own: what is deployed where a model does not know a language (`globmed.bench.stand_ins`). An option is read
            in English, and an open answer is translated back (`globmed.bench.translated_back`).
        shots: solved examples before the question.
    """

    answer: Answer = "generate"
    per_byte: bool = False
    against_prior: bool = False
    closed_book: bool = False
    english: bool = False
    held_out: bool = False
    steps: bool = False
    permuted: bool = False
    unmarked: bool = False
    own_labels: bool = False
    english_drugs: bool = False
    translated: bool = False
    shots: int = 0

    def __post_init__(self) -> None:
        """Refuse what no reading would heed.

        Raises:
            UsageError: `per_byte` or `against_prior` for anything but the likelihood of options' texts, or both;
                `steps` or `own_labels` where nothing is written; `permuted` where no order is shown; `translated` with
                what it leaves nothing of; more examples than `SHOTS_MAX`.
        """
        if (self.per_byte or self.against_prior) and self.answer != "score_options":
            raise UsageError(
                f"condition: per_byte or against_prior with {self.answer!r}; expected either with 'score_options' only"
            )
        if self.per_byte and self.against_prior:
            raise UsageError("condition: per_byte and against_prior; expected one of them, for each levels lengths")
        if self.steps and self.answer != "generate":
            raise UsageError(f"condition: steps with {self.answer!r}; only 'generate' writes any")
        if self.own_labels and self.answer != "generate":
            raise UsageError(f"condition: own_labels with {self.answer!r}, which scores A, B, C; expected 'generate'")
        if self.permuted and self.answer == "score_options":
            raise UsageError("condition: permuted with 'score_options', which shows no order of options")
        if self.translated and (lost := [word for word in _NOT_TRANSLATED if getattr(self, word)]):
            raise UsageError(
                f"condition: translated with {lost[0]}; expected the translation alone, with prompts for it"
            )
        if not 0 <= self.shots <= SHOTS_MAX:
            raise UsageError(f"condition: {self.shots} examples; expected 0 to {SHOTS_MAX}")

    @property
    def name(self) -> str:
        """Its short name in tables, such as `score_options/byte/closed` or `generate/english/3_shot`."""
        words = [word for word, field in _WORDS.items() if getattr(self, field)]
        return "/".join([self.answer, *words, *([f"{self.shots}_shot"] if self.shots else [])])

    @property
    def title(self) -> str:
        """What it is, for people: `free reply, read; instructions in English; 3 examples`."""
        said = [_MEANINGS[word] for word, field in _WORDS.items() if getattr(self, field)]
        if self.shots:
            said.append("1 example" if self.shots == 1 else f"{self.shots} examples")
        return "; ".join([_MODES[self.answer], *said])

    @property
    def stands_in(self) -> bool:
        """Whether another text is asked in place of the item's own (`globmed.bench.stand_ins`)."""
        return self.english_drugs or self.translated

    def written_in(self, language: str) -> str:
        """Return the language of the text that is shown of an item.

        Args:
            language: of the item.
        """
        return "en" if self.translated else language

    @classmethod
    def named(cls, name: str) -> Condition:
        """Return the condition of a short name, its words in any order.

        Raises:
            UsageError: there is none of that name.
        """
        answer, *words = name.split("/")
        if answer not in get_args(Answer):
            raise UsageError(f"no answer mode {answer!r} in {name!r}{did_you_mean(answer, get_args(Answer))}")
        fields: dict[str, bool | int] = {}
        for word in words:
            shots = _SHOTS.fullmatch(word)
            field = "shots" if shots else _WORDS.get(word, "")
            if not field:
                raise UsageError(f"no condition {word!r} in {name!r}{did_you_mean(word, [*_WORDS, '3_shot'])}")
            if field in fields:
                raise UsageError(f"condition {name!r}: {word!r} stands twice or contradicts another")
            fields[field] = int(shots[1]) if shots else True
        return msgspec.convert({"answer": answer, **fields}, cls)

    def prompt(self, base: str) -> str:
        """Return the name of the prompt for this condition, of the name for the plain one: `mcqa_steps_held_out`."""
        return base + "_steps" * self.steps + "_held_out" * self.held_out
