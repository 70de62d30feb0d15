"""transformers' Trainer over packed rows, with a loss on answers only. Imports torch: load it where training starts."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset, Sampler, SequentialSampler
from transformers.integrations.integration_utils import TensorBoardCallback

from globmed.core.errors import CheckFailedError
from globmed.core.store import write_text
from globmed.train import attention
from globmed.train.encoding import Encoded
from globmed.train.recipe import Optimisation
from globmed.train.steps import Loss, OnStep, Step

IGNORED = -100
"""Label of tokens that carry no loss, as torch's cross_entropy has it."""


LOG = "log.jsonl"
"""File beside the checkpoints that is written while a run goes on."""

_WORSE = 2.0
_SMOOTH = 20


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

    def named(self, rows: Iterable[int]) -> list[str]:
        """Return the names of the examples in some rows."""
        starts = self._encoded.variants
        chosen = [one for place in rows for one in self._rows[place].tolist()]
        return [self._encoded.names[int(np.searchsorted(starts, one, side="right")) - 1] for one in chosen]

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
    """Trainer whose loss is that of the answers, and which keeps the order of the rows.

    Attributes:
        step_losses: of the rows of the step under way; their sum is its loss.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what transformers' Trainer takes."""
        super().__init__(*arguments, **options)
        self.step_losses: list[torch.Tensor] = []

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: ARG002, FBT001, FBT002 - the base class's signature
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Return the mean over the labelled tokens of the whole step, all rows and processes together."""
        tokens = (inputs["labels"] != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        loss = answer_loss(model, inputs) / tokens
        self.step_losses.append(loss.detach())
        return loss

    def _get_train_sampler(self, _dataset: Any = None) -> Sampler[int]:
        dataset: Any = self.train_dataset
        return SequentialSampler(dataset)


class Watch(transformers.TrainerCallback):
    """Tells how far a run is, writes its log, and stops it where it learns nothing any more."""

    def __init__(
        self, trainer: AnswerTrainer, rows: PackedRows, *, together: int, work: Path, on_step: OnStep | None
    ) -> None:
        """Watch a trainer.

        Args:
            trainer: whose steps.
            rows: that it learns from.
            together: rows of a step.
            work: folder of the checkpoints and the log.
            on_step: told after every step.
        """
        self._trainer = trainer
        self._rows = rows
        self._together = together
        self._work = work
        self._on_step = on_step
        self._recent: deque[float] = deque(maxlen=_SMOOTH)
        self._first = math.inf
        self._least = math.inf

    def on_step_end(
        self,
        args: transformers.TrainingArguments,  # noqa: ARG002 - the base class's signature
        state: transformers.TrainerState,
        control: transformers.TrainerControl,  # noqa: ARG002
        **_: Any,
    ) -> None:
        """Look at the step's loss before anything of it is kept, and tell of the step."""
        loss = float(torch.stack(self._trainer.step_losses).sum())
        self._trainer.step_losses.clear()
        self._recent.append(loss)
        mean = sum(self._recent) / len(self._recent)
        if not math.isfinite(loss):
            self._stop(state.global_step, f"the loss is {loss}")
        if len(self._recent) == _SMOOTH:
            self._first = min(self._first, mean) if math.isinf(self._first) else self._first
            if mean > max(self._first, _WORSE * self._least):
                self._stop(
                    state.global_step, f"the loss rose from {self._least:.3f} to {mean:.3f}, above where it began"
                )
            self._least = min(self._least, mean)
        if self._on_step:
            self._on_step(Step(state.global_step, state.max_steps, int(state.num_input_tokens_seen)))

    def on_log(
        self,
        args: transformers.TrainingArguments,  # noqa: ARG002 - the base class's signature
        state: transformers.TrainerState,
        control: transformers.TrainerControl,  # noqa: ARG002
        **_: Any,
    ) -> None:
        """Write all that is logged so far; an interrupted run's lines behind its last checkpoint go."""
        write_text(self._work / LOG, "".join(f"{msgspec.json.encode(one).decode()}\n" for one in losses(state)))

    def _stop(self, step: int, why: str) -> None:
        rows = range((step - 1) * self._together, min(step * self._together, len(self._rows)))
        named = self._rows.named(rows)
        kept = last_checkpoint(self._work)
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        raise CheckFailedError(
            f"step {step}: {why}; rows {rows.start} to {rows.stop - 1} with {', '.join(named[:3])}{more}. "
            f"Last good checkpoint: {kept or 'none'}. Lower learning_rate, or look at these examples"
        )


def losses(state: transformers.TrainerState) -> list[Loss]:
    """Return what was logged of a run."""
    return [
        Loss(
            step=int(entry["step"]),
            tokens=int(entry["num_input_tokens_seen"]),
            loss=entry["loss"],
            gradient_norm=entry["grad_norm"],
            learning_rate=entry["learning_rate"],
        )
        for entry in state.log_history
        if "loss" in entry
    ]


def last_checkpoint(work: Path) -> Path | None:
    """Return the last whole checkpoint; None where there is none."""
    # The Trainer writes this file last: a checkpoint without it was cut off.
    whole = [state.parent for state in work.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)


def fit(
    network: Any,
    rows: PackedRows,
    optimisation: Optimisation,
    *,
    seed: int,
    work: Path,
    tensorboard: Path | None = None,
    on_step: OnStep | None = None,
) -> list[Loss]:
    """Train `network` in place on rows in their order; go on from the last checkpoint in `work`, if there is one.

    Args:
        network: the model; of an adapter, peft's.
        rows: to learn from.
        optimisation: how.
        seed: of dropout.
        work: folder for checkpoints and the log.
        tensorboard: folder for TensorBoard's files; None for none.
        on_step: told after every optimiser step.

    Returns:
        The loss over every fiftieth part of the run.

    Raises:
        CheckFailedError: the loss is no number, or twice its least and above where it began.
    """
    if optimisation.threads:
        torch.set_num_threads(optimisation.threads)
    attention.register()
    network.set_attn_implementation(attention.NAME)
    together = optimisation.batch_tokens // optimisation.row_tokens
    trainer = AnswerTrainer(
        model=network,
        args=_arguments(optimisation, rows=len(rows), together=together, seed=seed, work=work),
        train_dataset=rows,
        data_collator=lambda batch: batch[0],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.add_callback(Watch(trainer, rows, together=together, work=work, on_step=on_step))
    if tensorboard:
        from torch.utils.tensorboard import SummaryWriter

        trainer.add_callback(TensorBoardCallback(SummaryWriter(str(tensorboard))))  # type: ignore[no-untyped-call]
    last = last_checkpoint(work)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    return losses(trainer.state)


def _arguments(
    optimisation: Optimisation, *, rows: int, together: int, seed: int, work: Path
) -> transformers.TrainingArguments:
    steps = -(-rows // together)
    return transformers.TrainingArguments(
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
        max_grad_norm=optimisation.max_gradient_norm,
        optim="adamw_torch_fused",
        bf16=optimisation.precision == "bf16_mixed",
        activation_checkpointing=optimisation.gradient_checkpointing,
        logging_steps=max(1, steps // 50),
        # A step without a number must reach `Watch`.
        logging_nan_inf_filter=False,
        include_num_input_tokens_seen="all",
        save_steps=optimisation.checkpoint_steps,
        save_total_limit=2,
        seed=seed,
        disable_tqdm=True,
        report_to=[],
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
    )
