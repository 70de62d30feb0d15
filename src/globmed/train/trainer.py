"""transformers' Trainer over packed rows, with a loss on answers only. Imports torch: load it where training starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset, Sampler, SequentialSampler

from globmed.train import attention
from globmed.train.encoding import Encoded
from globmed.train.recipe import Optimisation

IGNORED = -100
"""Label of tokens that carry no loss, as torch's cross_entropy has it."""


class Loss(msgspec.Struct, frozen=True):
    """One line of `losses.jsonl`: the mean loss of the steps since the line before."""

    step: int
    loss: float
    learning_rate: float


class PackedRows(Dataset[dict[str, Any]]):
    """Rows of examples, one after the other."""

    def __init__(self, encoded: Encoded, rows: Sequence[NDArray[np.int64]]) -> None:
        """Keep to what is there.

        Args:
            encoded: the phrasings.
            rows: for each row the phrasings that stand in it.
        """
        self._encoded = encoded
        self._rows = rows

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def __getitem__(self, place: int) -> dict[str, Any]:
        """Return one row.

        Returns:
            `input_ids`, `position_ids` and `labels`, each [1, tokens], labels `IGNORED` wherever no loss is; and
            `packed_rows` for `globmed.train.attention`.
        """
        chosen = self._rows[place].tolist()
        ids = [self._encoded.of(one) for one in chosen]
        labels = [
            np.where(np.arange(one.size) < one.size - n, IGNORED, one)
            for one, n in zip(ids, self._encoded.answers[chosen], strict=True)
        ]
        lengths = [one.size for one in ids]
        return {
            "input_ids": _row(ids),
            "position_ids": _row([np.arange(length) for length in lengths]),
            "labels": _row(labels),
            "packed_rows": attention.layout(lengths),
        }


def _row(parts: Sequence[NDArray[Any]]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate(parts).astype(np.int64)).unsqueeze(0)


def answer_loss(network: Any, inputs: dict[str, Any]) -> torch.Tensor:
    """Return the sum of the cross entropy over labelled tokens; logits are computed for what predicts these alone.

    The first token of an example never carries loss, so that what predicts a labelled token is of the same example.
    """
    labels = inputs["labels"][0]
    carrying = (labels != IGNORED).nonzero().squeeze(1)
    logits = network(
        input_ids=inputs["input_ids"],
        position_ids=inputs["position_ids"],
        packed_rows=inputs["packed_rows"],
        logits_to_keep=carrying - 1,
        use_cache=False,
    ).logits[0]
    return cross_entropy(logits.float(), labels[carrying], reduction="sum")


class AnswerTrainer(transformers.Trainer):
    """Trainer whose loss is that of the answers, and which keeps the order of the rows."""

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: ARG002, FBT001, FBT002 - the base class's signature
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Return the mean over the labelled tokens of the whole step, all rows and processes together."""
        tokens = (inputs["labels"] != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        return answer_loss(model, inputs) / tokens

    def _get_train_sampler(self, _dataset: Any = None) -> Sampler[int]:
        dataset: Any = self.train_dataset
        return SequentialSampler(dataset)


class Progress(transformers.TrainerCallback):
    """Tells somebody how far the run is."""

    def __init__(self, on_step: Callable[[int, int], None]) -> None:
        self._tell = on_step

    def on_step_end(
        self,
        args: transformers.TrainingArguments,  # noqa: ARG002 - the base class's signature
        state: transformers.TrainerState,
        control: transformers.TrainerControl,  # noqa: ARG002
        **_: Any,
    ) -> None:
        """Pass on (step, steps)."""
        self._tell(state.global_step, state.max_steps)


def fit(
    network: Any,
    rows: PackedRows,
    optimisation: Optimisation,
    *,
    seed: int,
    work: Path,
    on_step: Callable[[int, int], None] | None = None,
) -> list[Loss]:
    """Train `network` in place on rows in their order; go on from the last checkpoint in `work`, if there is one.

    Returns:
        The mean loss over every fiftieth part of the run.
    """
    if optimisation.threads:
        torch.set_num_threads(optimisation.threads)
    attention.register()
    network.set_attn_implementation(attention.NAME)
    together = optimisation.batch_tokens // optimisation.row_tokens
    steps = -(-len(rows) // together)
    arguments = transformers.TrainingArguments(
        output_dir=str(work),
        num_train_epochs=1,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=together,
        learning_rate=optimisation.learning_rate,
        warmup_steps=round(steps * optimisation.warmup_share),
        lr_scheduler_type="cosine",
        weight_decay=optimisation.weight_decay,
        adam_beta1=optimisation.beta1,
        adam_beta2=optimisation.beta2,
        optim="adamw_torch_fused",
        logging_steps=max(1, steps // 50),
        save_steps=optimisation.checkpoint_steps,
        save_total_limit=2,
        seed=seed,
        disable_tqdm=True,
        report_to=[],
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
    )
    trainer = AnswerTrainer(
        model=network,
        args=arguments,
        train_dataset=rows,
        data_collator=lambda batch: batch[0],
        callbacks=[Progress(on_step)] if on_step else [],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    # The Trainer writes this file last: a checkpoint without it was cut off.
    whole = [state.parent for state in work.glob("checkpoint-*/trainer_state.json")]
    last = max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    return [
        Loss(step=int(entry["step"]), loss=entry["loss"], learning_rate=entry["learning_rate"])
        for entry in trainer.state.log_history
        if "loss" in entry
    ]
