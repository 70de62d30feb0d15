"""Multiple choice: one question, two to ten options, at least one of them right.

Of MedQA, MedMCQA, HEAD-QA, MedExpQA, CasiMedicos, AfriMed-QA, MMLU-Pro, and of PubMedQA, whose options are yes, no and
maybe in the language of the item. An item's own chance is the share of its options that are right, which differs:
MMLU-Pro has three to ten.

Example, as asked in English (`prompts/mcqa/en.txt`): the question, "A. Iron", "B. Zinc"; the reply ends "Answer: B".
"""

from __future__ import annotations

from globmed.bench.closed import Closed
from globmed.bench.reading import read_choice

MCQA = Closed(
    name="mcqa",
    kind="mcqa",
    prompts={"generate": "mcqa", "score_letters": "mcqa", "score_options": "mcqa_text"},
    reply="mcqa_reply",
    read_text=read_choice,
).task()
