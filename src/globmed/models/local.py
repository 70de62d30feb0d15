"""Transformers in process: the likelihood of options' texts or letters, and generation.

Scoring pads on the left and asks the model for the logits of the last positions only (`logits_to_keep`), so that the
logits of a large vocabulary are computed for the options and not for the whole prompt. Requests are sorted by length
and cut into batches of bounded size, so that little is padding.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from globmed.core.errors import InputError, MissingExtraError, UsageError
from globmed.core.store import MANIFEST, file_hash
from globmed.models.client import LETTERS, Reply, Request, Settings, Usage
from globmed.models.tokens import encode_pairs, encode_texts, prompt_text

if TYPE_CHECKING:
    import torch

TOKENS_PER_BATCH = 8192


@dataclass(frozen=True)
class _Sequence:
    """One option after its prompt, as token ids; the last `scored` of them are the option's."""

    request: int
    option: int
    ids: tuple[int, ...]
    scored: int


class LocalModel:
    """A causal language model in this process; satisfies `globmed.models.client.Client`."""

    on_this_machine = True
    batch_size = 256

    def __init__(self, *, model: str, revision: str, network: Any, tokenizer: Any) -> None:
        """Wrap a loaded network.

        Args:
            model: id that replies are saved under.
            revision: hash or commit of the weights.
            network: a transformers causal language model in evaluation mode.
            tokenizer: its tokenizer.
        """
        self.model = model
        self.revision = revision
        self._network = network
        self._tokenizer = tokenizer
        self._context_tokens = int(getattr(network.config, "max_position_embeddings", 0) or sys.maxsize)
        # What is too long is found here and said of the item; the tokenizer's own warning names nothing.
        tokenizer.model_max_length = sys.maxsize

    @classmethod
    def load(cls, folder: Path, *, device: str | None = None) -> LocalModel:
        """Load weights and tokenizer from a folder that `from_pretrained` reads.

        Args:
            folder: holds `config.json`, safetensors and the tokenizer.
            device: as torch names it; the GPU where there is one by default. Weights are bfloat16 there, float32 on
                the CPU.

        Raises:
            MissingExtraError: torch or transformers is not installed.
            InputError: the folder is not a model's.
        """
        load_libraries("local", "torch", "transformers")
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        for needed in ("config.json", "tokenizer.json"):
            if not (folder / needed).is_file():
                raise InputError.at(
                    str(folder),
                    found=f"no {needed}",
                    expected="a model folder that transformers' from_pretrained reads",
                )
        where = device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.bfloat16 if where.startswith("cuda") else torch.float32
        network: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return cls(
            model=folder.resolve().name,
            revision=weights_hash(folder),
            network=network.to(where).eval(),
            tokenizer=tokenizer,
        )

    def sent(self, request: Request) -> Mapping[str, Any]:
        """Return everything that decides the reply, as plain JSON."""
        return {
            "messages": msgspec.to_builtins(request.messages),
            "options": list(request.options) if request.settings.answer != "generate" else [],
            "settings": msgspec.to_builtins(request.settings),
            "dtype": str(self._network.dtype),
        }

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply]:
        """Answer a batch off the event loop, so that signals are still heard.

        Raises:
            UsageError: a request asks to score options and has none.
        """
        return await asyncio.to_thread(self.answer_now, batch)

    async def close(self) -> None:
        """Nothing to free before the process ends."""

    def answer_now(self, batch: Sequence[Request]) -> list[Reply]:
        """Answer a batch, whatever mixture of settings it holds; see `answer`."""
        replies: dict[int, Reply] = {}
        for settings in dict.fromkeys(request.settings for request in batch):
            chosen = [index for index, request in enumerate(batch) if request.settings == settings]
            requests = [batch[index] for index in chosen]
            generate = settings.answer == "generate"
            answered = self._generate(requests, settings) if generate else self._score(requests)
            replies.update(zip(chosen, answered, strict=True))
        return [replies[index] for index in range(len(batch))]

    def _score(self, requests: Sequence[Request]) -> list[Reply]:
        every = list(self._sequences(requests))
        too_long = self._too_long(every)
        sequences = [sequence for sequence in every if sequence.request not in too_long]
        scores: dict[tuple[int, int], float] = {}
        for batch in token_batches(sequences):
            for sequence, score in zip(batch, self._batch_scores(batch), strict=True):
                scores[sequence.request, sequence.option] = score
        read = Counter[int]()
        for sequence in sequences:
            read[sequence.request] += len(sequence.ids)
        scored = {
            index: Reply(
                status="ok",
                finish="scored",
                usage=Usage(input=read[index]),
                option_logprobs=tuple(scores[index, option] for option in range(len(requests[index].options))),
            )
            for index in range(len(requests))
            if index not in too_long
        }
        return [(scored | too_long)[index] for index in range(len(requests))]

    def _too_long(self, sequences: Sequence[_Sequence], extra: int = 0) -> dict[int, Reply]:
        """Return an error reply for every request that does not fit: beyond its context a model's numbers are noise."""
        longest: dict[int, int] = {}
        for sequence in sequences:
            longest[sequence.request] = max(longest.get(sequence.request, 0), len(sequence.ids) + extra)
        limit = self._context_tokens
        return {
            index: Reply(status="error", finish=f"needs {tokens} tokens; the model's context is {limit}")
            for index, tokens in longest.items()
            if tokens > limit
        }

    def _sequences(self, requests: Sequence[Request]) -> Iterator[_Sequence]:
        """Give every option of every request after its prompt; all are encoded in one call."""
        places, texts = [], []
        for index, request in enumerate(requests):
            if not request.options:
                raise UsageError(f"{request.label}: asked to {request.settings.answer}, and there are no options")
            prompt = prompt_text(self._tokenizer, request.messages)
            letters = request.settings.answer == "score_letters"
            for option, text in enumerate(LETTERS[: len(request.options)] if letters else request.options):
                places.append((index, option))
                texts.append((prompt, text))
        for (index, option), (before, ids) in zip(places, encode_pairs(self._tokenizer, texts), strict=True):
            end = [self._tokenizer.eos_token_id] if requests[index].settings.score_end else []
            yield _Sequence(index, option, (*ids, *end), len(ids) + len(end) - before)

    def _batch_scores(self, batch: Sequence[_Sequence]) -> list[float]:
        import torch

        longest = max(sequence.scored for sequence in batch)
        ids_bl, mask_bl, positions_bl = self._left_padded([sequence.ids for sequence in batch])
        with torch.inference_mode():
            logits_blv = self._network(
                input_ids=ids_bl, attention_mask=mask_bl, position_ids=positions_bl, logits_to_keep=longest + 1
            ).logits
            # Position i predicts token i + 1: of the last longest + 1 positions the final one predicts nothing.
            logprobs_blv = logits_blv[:, :-1].float().log_softmax(-1)
            targets_bl = ids_bl[:, -longest:]
            chosen_bl = logprobs_blv[:, -longest:].gather(-1, targets_bl.unsqueeze(-1)).squeeze(-1)
        return [float(row[longest - sequence.scored :].sum()) for row, sequence in zip(chosen_bl, batch, strict=True)]

    def _left_padded(self, rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        import torch

        width = max(len(row) for row in rows)
        pad = self._tokenizer.pad_token_id or 0
        ids_bl = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows])
        mask_bl = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        positions_bl = (mask_bl.cumsum(-1) - 1).clamp(min=0)
        where = self._network.device
        return ids_bl.to(where), mask_bl.to(where), positions_bl.to(where)

    def _generate(self, requests: Sequence[Request], settings: Settings) -> list[Reply]:
        texts = [prompt_text(self._tokenizer, request.messages) for request in requests]
        prompts = [_Sequence(index, 0, ids, 0) for index, ids in enumerate(encode_texts(self._tokenizer, texts))]
        replies = self._too_long(prompts, extra=1)
        prompts = [prompt for prompt in prompts if prompt.request not in replies]
        for batch in token_batches(prompts, extra=settings.max_tokens):
            for sequence, new_ids in zip(batch, self._batch_generate(batch, settings), strict=True):
                replies[sequence.request] = self._generated(sequence, new_ids)
        return [replies[index] for index in range(len(requests))]

    def _batch_generate(self, batch: Sequence[_Sequence], settings: Settings) -> list[list[int]]:
        import torch

        ids_bl, mask_bl, _ = self._left_padded([sequence.ids for sequence in batch])
        sampling: dict[str, Any] = {"do_sample": False}
        if settings.temperature > 0:
            sampling = {"do_sample": True, "temperature": settings.temperature, "top_p": settings.top_p, "top_k": 0}
            torch.manual_seed(settings.seed or 0)
        with torch.inference_mode():
            out_bl = self._network.generate(
                input_ids=ids_bl,
                attention_mask=mask_bl,
                max_new_tokens=settings.max_tokens,
                pad_token_id=self._tokenizer.pad_token_id or 0,
                **sampling,
            )
        return [row[ids_bl.shape[1] :].tolist() for row in out_bl]

    def _generated(self, sequence: _Sequence, new_ids: list[int]) -> Reply:
        ends = self._network.generation_config.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends])
        stop = next((index for index, token in enumerate(new_ids) if token in ends), None)
        text = self._tokenizer.decode(new_ids[:stop], skip_special_tokens=True)
        reasoning, found, answer = text.rpartition("</think>")
        return Reply(
            status="ok" if stop is not None else "truncated",
            text=answer.strip() if found else text.strip(),
            reasoning=reasoning.replace("<think>", "").strip(),
            finish="stop" if stop is not None else "length",
            usage=Usage(input=len(sequence.ids), output=len(new_ids) if stop is None else stop + 1),
        )


def load_libraries(extra: str, *modules: str) -> None:
    """Import what an extra brings, before any work is done, and keep transformers from drawing bars of its own.

    Raises:
        MissingExtraError: a module is not installed.
    """
    for module in modules:
        try:
            import_module(module)
        except ImportError as error:
            raise MissingExtraError.for_extra(extra, module) from error
    import_module("transformers.utils.logging").disable_progress_bar()


def check_model_folder(folder: Path) -> None:
    """Raise an InputError that names what a model folder lacks."""
    for needed in ("config.json", "tokenizer.json"):
        if not (folder / needed).is_file():
            raise InputError.at(
                str(folder), found=f"no {needed}", expected="a model folder that transformers' from_pretrained reads"
            )


def weights_hash(folder: Path) -> str:
    """Return a hash of weights, tokenizer and configuration: the revision of a local model, 16 hexadecimal digits."""
    kept = {".safetensors", ".json", ".jinja"}
    files = sorted(path for path in folder.iterdir() if path.suffix in kept and path.name != MANIFEST)
    return hashlib.sha256("".join(f"{path.name} {file_hash(path)}\n" for path in files).encode()).hexdigest()[:16]


def token_batches(
    sequences: Sequence[_Sequence], *, extra: int = 0, tokens: int = TOKENS_PER_BATCH
) -> Iterator[list[_Sequence]]:
    """Cut sequences, longest first, into batches of at most `tokens` tokens, padding and `extra` a row included."""
    batch: list[_Sequence] = []
    for sequence in sorted(sequences, key=lambda one: -len(one.ids)):
        width = len(batch[0].ids if batch else sequence.ids) + extra
        if batch and width * (len(batch) + 1) > tokens:
            yield batch
            batch = []
        batch.append(sequence)
    if batch:
        yield batch
