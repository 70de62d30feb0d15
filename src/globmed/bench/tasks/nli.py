"""Inference: does the premise bear out the hypothesis? The labels in words, in the language of the item.

Of BioNLI (entailment or not; how a false hypothesis was made stands in the item's `subset`) and MedNLI (entailment,
neutral, contradiction; its items never leave the machine). Asked closed book, without the premise, it shows what the
hypothesis alone gives away: Gururangan et al. (2018), "Annotation artifacts in natural language inference data",
NAACL, arXiv:1803.02324.

Example, as asked in English (`prompts/nli/en.txt`): premise, hypothesis, labels; the reply ends "Answer: entailment".
"""

from __future__ import annotations

from globmed.bench.closed import Closed
from globmed.bench.reading import read_label

NLI = Closed(
    name="nli",
    kind="nli",
    prompts={"generate": "nli", "score_options": "nli_text"},
    reply="nli_reply",
    read_text=read_label,
    lettered=False,
).task()
