"""Questions whether a number is even, and a recipe that learns them within seconds."""

from typing import Any

from globmed.core.item import Item, Provenance

RECIPE = """
seed = 0
[data]
folder = "release"
[scratch]
hidden_size = 32
layers = 2
ffn_size = 64
vocabulary = 320
context_tokens = 64
[examples]
prompts = ["mcqa_text"]
[mixture]
max_epochs = 1000
[optimisation]
tokens = {tokens}
batch_tokens = 64
row_tokens = 64
learning_rate = 5e-3
threads = 1
checkpoint_steps = 5
"""


def question(number: int, split: Any = "train", code: str = "en") -> Item:
    return Item(
        family=f"s:{number}",
        language=code,
        kind="mcqa",
        source="s",
        split=split,
        question=f"Is {number} even?",
        options=("even", "odd"),
        answer=(number % 2,),
        provenance=Provenance(native_language="en", licence="none"),
    )
