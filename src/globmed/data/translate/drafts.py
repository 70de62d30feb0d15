"""A translation on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from globmed.core.item import Finding, Item, Provenance, Step
from globmed.data.translate.fields import with_texts
from globmed.data.translate.reading import Critique
from globmed.data.translate.team import Member
from globmed.data.translate.wording import prompt_hash
from globmed.models.client import Usage


@dataclass(eq=False)
class Draft:
    """One item's translation on its way.

    Attributes:
        item: the original.
        target: BCP 47 code of the language translated into.
        member: who translates it.
        originals: the texts of the item, by field id.
        texts: their translations so far.
        given: fields that no model was asked for.
        steps: how the texts were made.
        usage: tokens of the replies that the texts were asked for with, those that could not be read among them.
        findings: what the checks found last.
        critique: the last one.
        agreement: of the back-translation with the original, chrF.
        doubts: why a person should look at it, beside the findings.
        dropped: why nothing comes of it; empty while something may.
        assumed: it holds texts that are not there yet, because nothing is sent; its checks mean nothing.
    """

    item: Item
    target: str
    member: Member
    originals: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    steps: list[Step] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    findings: list[Finding] = field(default_factory=list)
    critique: Critique | None = None
    agreement: float | None = None
    doubts: list[str] = field(default_factory=list)
    dropped: str = ""
    assumed: bool = False

    @property
    def asked(self) -> list[str]:
        """The fields that somebody translates: all but those that need no model."""
        return [name for name in self.originals if name not in self.given]

    def translated(self, findings: Sequence[Finding] = ()) -> Item:
        """Return the item in the other language, under the original's terms of use."""
        provenance = Provenance(
            native_language=self.item.provenance.native_language,
            licence=self.item.provenance.licence,
            text="machine",
            translated_from=self.item.language,
            model=self.member.name,
            prompt_hash="" if self.member.engine else prompt_hash("candidate", self.target),
            place=self.item.provenance.place,
            steps=tuple(self.steps),
            findings=tuple(findings),
        )
        return self.item.made_into(provenance=provenance, language=self.target, **with_texts(self.item, self.texts))
