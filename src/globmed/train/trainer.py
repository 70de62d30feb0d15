"""transformers' Trainer over packed rows, with a loss on answers only. Imports torch: load it where training starts."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
import transformers
from accelerate import PartialState
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset, Sampler, SequentialSampler
from transformers.integrations.integration_utils import TensorBoardCallback

from globmed.core.errors import CheckFailedError, InputError
from globmed.core.store import write_text
from globmed.train import attention, evaluation
from globmed.train.encoding import Encoded
from globmed.train.recipe import Recipe
from globmed.train.steps import Evaluated, Loss, OnStep, Step

IGNORED = -100
"""Label of tokens that carry no loss, as torch's cross_entropy has it."""


LOG = "log.jsonl"
"""File beside the checkpoints that is written while a run goes on."""

_WORSE = 2.0
_SMOOTH = 20


class PackedRows(Dataset[dict[str, Any]]):
    """Rows of examples, one after the other."""

    def __init__(self, encoded: Encoded, rows: Sequence[NDArray[np.int64]], *, processes: int = 1) -> None:
        """Keep to what is there.

        Args:
            encoded: the phrasings.
            rows: for each row the phrasings that stand in it.
            processes: that share the rows; so that each has as many, rows without loss stand behind the last.
        """
        self._encoded = encoded
        self._rows = rows
        self._length = -(-len(rows) // processes) * processes

    def named(self, rows: Iterable[int]) -> list[str]:
        """Return the names of the examples in some rows."""
        starts = self._encoded.variants
        chosen = [one for place in rows if place < len(self._rows) for one in self._rows[place].tolist()]
        return [self._encoded.names[int(np.searchsorted(starts, one, side="right")) - 1] for one in chosen]

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._length

    def __getitem__(self, place: int) -> dict[str, Any]:
        """Return one row.

        Returns:
            `input_ids`, `position_ids` and `labels`, each [1, tokens], labels `IGNORED` wherever no loss is; and
            `packed_rows` for `globmed.train.attention`.
        """
        if place >= len(self._rows):
            first = _row([np.zeros(2)])
            return {
                "input_ids": first,
                "position_ids": first,
                "labels": first + IGNORED,
                "packed_rows": attention.layout([2]),
            }
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


Ask = Callable[[int], list[Evaluated]]
"""Asks the model after so many steps."""


class AnswerTrainer(transformers.Trainer):
    """Trainer whose loss is that of the answers, and which keeps the order of the rows.

    Attributes:
        step_losses: of this process's rows of the step under way; their sum over all processes is its loss.
    """

    def __init__(self, *, ask: Ask | None, **options: Any) -> None:
        """Take what transformers' Trainer takes, and how to ask the model while it learns."""
        super().__init__(**options)
        # Whatever the model's own loss does, ours is always divided by the labelled tokens of the whole step.
        self.model_accepts_loss_kwargs = True
        self.step_losses: list[torch.Tensor] = []
        self._ask = ask

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: ARG002, FBT001, FBT002 - the base class's signature
        num_items_in_batch: Any = None,
    ) -> torch.Tensor:
        """Return this process's part of the mean over the labelled tokens of the whole step."""
        loss: torch.Tensor = answer_loss(model, inputs) / num_items_in_batch
        self.step_losses.append(loss.detach())
        # Gradients are averaged over processes, and the parts are to be summed.
        return loss * int(self.accelerator.num_processes)

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Ask the fixed set; every process asks all of it, since a sharded model answers only if all do."""
        if self._ask is None:
            return {}
        network: Any = self.model
        network.set_attn_implementation("sdpa")
        network.eval()
        with self.compute_loss_context_manager():
            found = evaluation.logged(self._ask(self.state.global_step))
        network.train()
        network.set_attn_implementation(attention.NAME)
        self.log(found)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, found)
        return found

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
        loss = float(self._trainer.accelerator.reduce(torch.stack(self._trainer.step_losses).sum()))
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
        if self._on_step and state.is_world_process_zero:
            self._on_step(Step(state.global_step, state.max_steps, int(state.num_input_tokens_seen)))

    def on_log(
        self,
        args: transformers.TrainingArguments,  # noqa: ARG002 - the base class's signature
        state: transformers.TrainerState,
        control: transformers.TrainerControl,  # noqa: ARG002
        **_: Any,
    ) -> None:
        """Write all that is logged so far; an interrupted run's lines behind its last checkpoint go."""
        if state.is_world_process_zero:
            lines = [*losses(state), *evaluation.read_logged(state.log_history)]
            write_text(self._work / LOG, "".join(f"{msgspec.json.encode(one).decode()}\n" for one in lines))

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


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a run came to.

    Attributes:
        losses: over every fiftieth part of the run.
        evaluations: of the model while it learnt.
        weights: of the model, its adapter's among them, by name; whole on the first process alone.
    """

    losses: list[Loss]
    evaluations: list[Evaluated]
    weights: dict[str, torch.Tensor]


def processes() -> PartialState:
    """Join the processes that `accelerate launch` or `torchrun` started, if either did; over gloo without a GPU."""
    return PartialState(cpu=not torch.accelerator.is_available())


def fit(
    network: Any,
    encoded: Encoded,
    packed: Sequence[NDArray[np.int64]],
    recipe: Recipe,
    *,
    work: Path,
    ask: Ask | None = None,
    tensorboard: Path | None = None,
    on_step: OnStep | None = None,
) -> Fitted:
    """Train `network` in place; go on from the last checkpoint in `work`, if there is one.

    Under `accelerate launch` or `torchrun` every process calls this; they share the rows.

    Args:
        network: the model; of an adapter, peft's.
        encoded: phrasings.
        packed: those of each row, in the order to learn them in.
        recipe: how.
        work: folder for checkpoints and the log.
        ask: the model while it learns; None for not at all.
        tensorboard: folder for TensorBoard's files; None for none.
        on_step: told after every optimiser step, on the first process.

    Raises:
        CheckFailedError: the loss is no number, or twice its least and above where it began.
        InputError: a step's rows cannot be shared out evenly.
    """
    if recipe.optimisation.threads:
        torch.set_num_threads(recipe.optimisation.threads)
    attention.register()
    network.set_attn_implementation(attention.NAME)
    arguments = _arguments(recipe, rows=len(packed), work=work)
    rows = PackedRows(encoded, packed, processes=arguments.world_size)
    trainer = AnswerTrainer(
        ask=ask,
        model=network,
        args=arguments,
        train_dataset=rows,
        # Trainer wants to see one; what is asked is in `ask`.
        eval_dataset=[],
        data_collator=lambda batch: batch[0],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.add_callback(Watch(trainer, rows, together=_together(recipe), work=work, on_step=on_step))
    if recipe.evaluation.patience:
        trainer.add_callback(transformers.EarlyStoppingCallback(recipe.evaluation.patience))
    if tensorboard and arguments.process_index == 0:
        from torch.utils.tensorboard import SummaryWriter

        trainer.add_callback(TensorBoardCallback(SummaryWriter(str(tensorboard))))  # type: ignore[no-untyped-call]
    last = last_checkpoint(work)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    return Fitted(
        losses=losses(trainer.state),
        evaluations=evaluation.read_logged(trainer.state.log_history),
        weights=trainer.accelerator.get_state_dict(trainer.model_wrapped),
    )


def _together(recipe: Recipe) -> int:
    """Return how many rows a step has, over all processes."""
    return recipe.optimisation.batch_tokens // recipe.optimisation.row_tokens


def _arguments(recipe: Recipe, *, rows: int, work: Path) -> transformers.TrainingArguments:
    together, optimisation, evaluated = _together(recipe), recipe.optimisation, recipe.evaluation
    steps = -(-rows // together)
    arguments = transformers.TrainingArguments(
        output_dir=str(work),
        use_cpu=not torch.accelerator.is_available(),
        num_train_epochs=1,
        per_device_train_batch_size=1,
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
        save_total_limit=2,
        seed=recipe.seed,
        disable_tqdm=True,
        report_to=[],
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        eval_strategy="steps" if evaluated.every_steps else "no",
        eval_steps=evaluated.every_steps or None,
        # What did best can be kept only where it was saved.
        save_steps=evaluated.every_steps if evaluated.patience else optimisation.checkpoint_steps,
        load_best_model_at_end=bool(evaluated.patience),
        metric_for_best_model="score",
        greater_is_better=True,
    )
    if together % arguments.world_size:
        raise InputError.at(
            "[optimisation] batch_tokens",
            found=f"{together} rows in a step for {arguments.world_size} processes",
            expected="as many for each",
        )
    arguments.gradient_accumulation_steps = together // arguments.world_size
    return arguments
