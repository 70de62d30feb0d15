"""What is to be translated, by whom, and what may pass."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from globmed.core.errors import UsageError
from globmed.core.language import language


class Share(msgspec.Struct, frozen=True):
    """A translator, as `globmed.models.opening` names models, and the share of the families that it translates."""

    model: str
    share: float


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be translated, by whom, and what may pass; all of it decides what is written.

    Attributes:
        translators: each with its share; the shares add up to 1.
        languages: BCP 47 codes to translate into.
        from_language: the language to translate from; empty for each question's native language where the data has it
            so, else English, else the first there is.
        critic: the model that judges translations; empty for none.
        back: the model that translates back; empty for none.
        same_model: let a translator be its own critic or translate back itself.
        repairs: rounds of mending what the checks find, at most.
        attempts: how often a reply that cannot be read is asked for, at most.
        refine_below: a translation with a score below it, and comments, is refined.
        review_below: one with a score below it goes to review.
        agreement_below: one whose back-translation agrees less (chrF, 0 to 100) goes to review.
        temperature: of all replies.
        thinking_tokens: what a reasoning model's reply may have more than the text needs.
    """

    translators: tuple[Share, ...]
    languages: tuple[str, ...]
    from_language: str = ""
    critic: str = ""
    back: str = ""
    same_model: bool = False
    repairs: int = 2
    attempts: int = 3
    refine_below: int = 5
    review_below: int = 4
    agreement_below: float = 40.0
    temperature: float = 0.0
    thinking_tokens: int = 8192

    def __post_init__(self) -> None:
        """Refuse what cannot be done.

        Raises:
            UsageError: no or an unknown language, no translator, one twice, or shares that do not add up to 1.
        """
        for code in {*self.languages, *filter(None, [self.from_language])}:
            language(code)
        if not self.languages or len(set(self.languages)) < len(self.languages):
            raise UsageError(f"languages to translate into: {', '.join(self.languages) or 'none'}; expected each once")
        names = [one.model for one in self.translators]
        if not names or len(set(names)) < len(names):
            raise UsageError(f"translators: {', '.join(names) or 'none'}; expected at least one, each once")
        total = sum(one.share for one in self.translators)
        if abs(total - 1) > 1e-6 or not all(one.share > 0 for one in self.translators):
            shares = ", ".join(f"{one.model}={one.share:g}" for one in self.translators)
            raise UsageError(f"shares of the translators: {shares}; expected numbers above 0 that add up to 1")
        if self.attempts < 1 or self.repairs < 0:
            raise UsageError(f"{self.attempts} attempts and {self.repairs} repairs; expected at least 1 and 0")

    def translator(self, family: str) -> str:
        """Return who translates a family, into whatever language: drawn by a hash of its name."""
        digest = hashlib.blake2b(family.encode(), digest_size=8).digest()
        drawn, upto = int.from_bytes(digest) / 2**64, 0.0
        for one in self.translators:
            upto += one.share
            if drawn < upto:
                return one.model
        return self.translators[-1].model


def read_shares(texts: Sequence[str]) -> tuple[Share, ...]:
    """Read translators as users write them: `MODEL=0.5` each, or `MODEL` alone for equal shares.

    Raises:
        UsageError: some with a share and some without.
    """
    found = [(text.rpartition("="), _number(text.rpartition("=")[2])) for text in texts]
    stated = [Share(parts[0], share) for parts, share in found if parts[1] and share is not None]
    if not stated:
        return tuple(Share(text, 1 / len(texts)) for text in texts)
    if len(stated) < len(texts):
        raise UsageError(f"translators: {', '.join(texts)}; expected a share for each, as MODEL=0.5, or for none")
    return tuple(stated)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
