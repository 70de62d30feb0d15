"""transformers' Trainer with a loss on answers only. Imports torch: load it where training is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch.nn.functional import cross_entropy
from torch.utils.data import Sampler, SequentialSampler

from globmed.train.examples import Example, Loss
from globmed.train.recipe import Optimisation

IGNORED = -100
"""Label of tokens that carry no loss, as torch's cross_entropy has it."""


def collate(examples: Sequence[Example], *, pad: int) -> dict[str, torch.Tensor]:
    """Pad examples on the left.

    Returns:
        `input_ids`, `attention_mask`, `position_ids` and `labels`, each (batch, longest example); labels are
        `IGNORED` wherever no loss is.
    """
    width = max(len(example.ids) for example in examples)
    ids_bl = torch.full((len(examples), width), pad)
    mask_bl = torch.zeros((len(examples), width), dtype=torch.long)
    labels_bl = torch.full((len(examples), width), IGNORED)
    for row, example in enumerate(examples):
        ids = torch.tensor(example.ids)
        ids_bl[row, -len(ids) :] = ids
        mask_bl[row, -len(ids) :] = 1
        labels_bl[row, -example.answer_tokens :] = ids[-example.answer_tokens :]
    positions_bl = (mask_bl.cumsum(-1) - 1).clamp(min=0)
    return {"input_ids": ids_bl, "attention_mask": mask_bl, "position_ids": positions_bl, "labels": labels_bl}


def answer_loss(network: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the sum of the cross entropy over labelled tokens, computing logits for the answers' positions only."""
    labels_bl = inputs["labels"]
    width = int((labels_bl != IGNORED).sum(-1).max())
    logits_blv = network(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        position_ids=inputs["position_ids"],
        logits_to_keep=width + 1,
    ).logits[:, :-1]
    targets_bl = labels_bl[:, -width:]
    return cross_entropy(logits_blv.float().flatten(0, 1), targets_bl.flatten(), ignore_index=IGNORED, reduction="sum")


class AnswerTrainer(transformers.Trainer):
    """Trainer whose loss is that of the answers, and which keeps the order that the mixture drew."""

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,  # noqa: ARG002, FBT001, FBT002 - the base class's signature
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Return the mean over the labelled tokens of the whole step, gradient accumulation included."""
        tokens = (inputs["labels"] != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        return answer_loss(model, inputs) / tokens

    def _get_train_sampler(self, _dataset: Any = None) -> Sampler[int]:
        dataset: Any = self.train_dataset
        return SequentialSampler(dataset)


class Progress(transformers.TrainerCallback):
    """Tells somebody how far the run is."""

    def __init__(self, on_step: Callable[[int, int], None], steps: int) -> None:
        self._tell = on_step
        self._steps = steps

    def on_step_end(
        self,
        args: transformers.TrainingArguments,  # noqa: ARG002 - the base class's signature
        state: transformers.TrainerState,
        control: transformers.TrainerControl,  # noqa: ARG002
        **_: Any,
    ) -> None:
        """Pass on (step, steps)."""
        self._tell(state.global_step, self._steps)


def fit(
    network: Any,
    examples: Sequence[Example],
    optimisation: Optimisation,
    *,
    seed: int,
    pad: int,
    work: Path,
    on_step: Callable[[int, int], None] | None = None,
) -> list[Loss]:
    """Train `network` in place on examples in their order; go on from the last checkpoint in `work`, if there is one.

    Returns:
        The mean loss over every fiftieth part of the run.
    """
    if optimisation.threads:
        torch.set_num_threads(optimisation.threads)
    arguments = transformers.TrainingArguments(
        output_dir=str(work),
        max_steps=optimisation.steps,
        per_device_train_batch_size=optimisation.batch_size,
        learning_rate=optimisation.learning_rate,
        warmup_steps=optimisation.warmup_steps,
        lr_scheduler_type="cosine",
        weight_decay=optimisation.weight_decay,
        adam_beta1=optimisation.beta1,
        adam_beta2=optimisation.beta2,
        optim="adamw_torch_fused",
        logging_steps=max(1, optimisation.steps // 50),
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
        train_dataset=list(examples),
        data_collator=lambda batch: collate(batch, pad=pad),
        callbacks=[Progress(on_step, optimisation.steps)] if on_step else [],
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
