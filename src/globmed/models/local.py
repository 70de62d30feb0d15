"""Transformers in process: the likelihood of options' texts or letters, and generation."""

from __future__ import annotations

import asyncio
import hashlib
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from globmed.core.errors import EnvironmentFailedError, InputError, MissingExtraError, UsageError
from globmed.core.store import MANIFEST, file_hash
from globmed.models.chat_reply import one_line, split_reasoning
from globmed.models.client import LETTERS, Message, Reply, Request, Settings, TokenLogprob, Usage
from globmed.models.local_generation import Generated, generate
from globmed.models.local_scoring import Scorer, token_batches, tokens_read
from globmed.models.pace import Caps, Pace
from globmed.models.tokens import Pair, encode_pairs, encode_texts, prompt_text

# Likelihoods without the question that are kept: one a distinct option text and prompt.
_PRIORS_MAX = 100_000


class _Asked(NamedTuple):
    """Texts whose likelihood after some messages is wanted, with or without the end of the answer."""

    messages: tuple[Message, ...]
    texts: tuple[str, ...]
    end: bool


class _Prompt(NamedTuple):
    """A prompt as token ids, and which request it is of."""

    place: int
    ids: tuple[int, ...]


class LocalModel:
    """A causal language model in this process; satisfies `globmed.models.client.Client`."""

    on_this_machine = True
    batch_size = 256
    pace = Pace("this process", Caps(concurrency=1))

    def __init__(
        self, *, model: str, revision: str, network: Any, tokenizer: Any, template: Mapping[str, Any] | None = None
    ) -> None:
        """Wrap a loaded network.

        Args:
            model: id that replies are saved under.
            revision: hash or commit of the weights.
            network: a transformers causal language model in evaluation mode.
            tokenizer: its tokenizer.
            template: switches of its chat template, such as `{"enable_thinking": False}`.

        Raises:
            UsageError: the chat template knows no such switch.
        """
        self._template = dict(template or {})
        for switch in self._template:
            if switch not in str(tokenizer.chat_template or ""):
                raise UsageError(f"{model}: its chat template knows no switch {switch!r}; leave it out")
        self.model = model
        self.revision = revision
        self._network = network
        self._tokenizer = tokenizer
        self._pad = tokenizer.pad_token_id or 0
        self._scorer = Scorer(network, pad=self._pad)
        self._priors: dict[_Asked, Reply] = {}
        self._context_tokens = int(getattr(network.config, "max_position_embeddings", 0) or sys.maxsize)
        # What is too long is found here and said of the item; the tokenizer's own warning names nothing.
        tokenizer.model_max_length = sys.maxsize

    @classmethod
    def load(
        cls,
        source: Path | str,
        *,
        revision: str = "",
        model: str = "",
        template: Mapping[str, Any] | None = None,
        device: str | None = None,
    ) -> LocalModel:
        """Load weights and tokenizer from a folder or from the Hub.

        Args:
            source: as a path a folder with `config.json`, safetensors and `tokenizer.json`; as a string the id of a
                model on the Hub, which is downloaded unless it is in the cache.
            revision: commit on the Hub; a folder's is the hash of its files.
            model: id that replies are saved under; default: the folder's name or the Hub id.
            template: switches of the chat template, such as `{"enable_thinking": False}`.
            device: as torch names it; the GPU where there is one by default. Weights are bfloat16 there, float32 on
                the CPU.

        Raises:
            MissingExtraError: torch or transformers is not installed.
            InputError: the folder is not a model's.
            UsageError: the revision is not a commit, or the chat template knows no such switch.
            EnvironmentFailedError: the model is neither in the cache nor to be had from the Hub.
        """
        load_libraries("local", "torch", "transformers")
        if isinstance(source, Path):
            check_model_folder(source)
            network, tokenizer = _from_pretrained(source, device, local_files_only=True)
            name, revision = source.resolve().name, weights_hash(source)
        else:
            network, tokenizer = _from_hub(source, revision, device)
            name = source
        return cls(model=model or name, revision=revision, network=network, tokenizer=tokenizer, template=template)

    def sent(self, request: Request) -> Mapping[str, Any]:
        """Return everything that decides the reply, as plain JSON."""
        return {
            "messages": msgspec.to_builtins(request.messages),
            "prior": msgspec.to_builtins(request.prior),
            "options": list(request.options) if request.settings.answer != "generate" else [],
            "settings": msgspec.to_builtins(request.settings),
            "template": self._template,
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
            generated = settings.answer == "generate"
            answered = self._generate(requests, settings) if generated else self._score(requests)
            replies.update(zip(chosen, answered, strict=True))
        return [replies[index] for index in range(len(batch))]

    def _score(self, requests: Sequence[Request]) -> list[Reply]:
        asked = [_asked(request) for request in requests]
        priors = [
            [_Asked(request.prior, (text,), one.end) for text in one.texts] if request.prior else []
            for request, one in zip(requests, asked, strict=True)
        ]
        wanted = dict.fromkeys(prior for each in priors for prior in each)
        if len(self._priors) + len(wanted) > _PRIORS_MAX:
            self._priors.clear()
        missing = [prior for prior in wanted if prior not in self._priors]
        replies = self._measure([*asked, *missing])
        self._priors.update(zip(missing, replies[len(asked) :], strict=True))
        return [
            _with_priors(reply, [self._priors[prior] for prior in each])
            for reply, each in zip(replies[: len(asked)], priors, strict=True)
        ]

    def _measure(self, asked: Sequence[_Asked]) -> list[Reply]:
        """Return a reply with likelihoods for each, or an error for what does not fit into the context."""
        groups = self._pairs(asked)
        replies = [self._too_long(max(len(pair.ids) for pair in group)) for group in groups]
        fitting = [place for place, reply in enumerate(replies) if reply is None]
        scores = self._scorer.likelihoods([groups[place] for place in fitting])
        for place, logprobs in zip(fitting, scores, strict=True):
            usage = Usage(input=tokens_read(groups[place]))
            replies[place] = Reply(status="ok", finish="scored", usage=usage, option_logprobs=tuple(logprobs))
        return [reply for reply in replies if reply is not None]

    def _pairs(self, asked: Sequence[_Asked]) -> list[list[Pair]]:
        """Give every text after its prompt; all are encoded in one call."""
        prompts = [prompt_text(self._tokenizer, one.messages, self._template) for one in asked]
        texts = [(prompt, text) for prompt, one in zip(prompts, asked, strict=True) for text in one.texts]
        encoded = iter(encode_pairs(self._tokenizer, texts))
        end = self._tokenizer.eos_token_id
        return [
            [Pair(pair.before, (*pair.ids, end) if one.end else pair.ids) for pair in islice(encoded, len(one.texts))]
            for one in asked
        ]

    def _too_long(self, tokens: int) -> Reply | None:
        """Return an error reply for what does not fit: beyond its context a model's numbers are noise."""
        if tokens <= self._context_tokens:
            return None
        reason = f"needs {tokens} tokens; the model's context is {self._context_tokens}"
        return Reply(status="error", finish=reason)

    def _generate(self, requests: Sequence[Request], settings: Settings) -> list[Reply]:
        texts = [prompt_text(self._tokenizer, request.messages, self._template) for request in requests]
        encoded = encode_texts(self._tokenizer, texts)
        replies = [self._too_long(len(ids) + 1) for ids in encoded]
        prompts = [_Prompt(place, ids) for place, ids in enumerate(encoded) if replies[place] is None]
        for batch in token_batches(prompts, width=lambda prompt: len(prompt.ids) + settings.max_tokens):
            made = generate(self._network, [prompt.ids for prompt in batch], settings, pad=self._pad)
            for prompt, generated in zip(batch, made, strict=True):
                replies[prompt.place] = self._generated(len(prompt.ids), generated)
        return [reply for reply in replies if reply is not None]

    def _generated(self, prompt_tokens: int, generated: Generated) -> Reply:
        ends = self._network.generation_config.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends])
        stop = next((index for index, token in enumerate(generated.ids) if token in ends), None)
        output = len(generated.ids) if stop is None else stop + 1
        text = self._tokenizer.decode(generated.ids[:stop], skip_special_tokens=True)
        answer, reasoning = split_reasoning(text)
        return Reply(
            status="ok" if stop is not None else "truncated",
            text=answer.strip(),
            reasoning=reasoning,
            finish="stop" if stop is not None else "length",
            usage=Usage(input=prompt_tokens, output=output),
            logprobs=self._logprobs(generated, output),
        )

    def _logprobs(self, generated: Generated, tokens: int) -> tuple[TokenLogprob, ...]:
        """Write tokens as texts; where two likely ones have the same, the likelier stands for both."""
        decode = self._tokenizer.decode
        return tuple(
            TokenLogprob(
                token=decode([token]),
                logprob=likelihood.logprob,
                top={decode([other]): logprob for other, logprob in reversed(likelihood.top)},
            )
            for token, likelihood in zip(generated.ids[:tokens], generated.likelihoods, strict=False)
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


def hub_commit(hub_id: str) -> str:
    """Return the newest commit of a model on the Hub, or without a network the one in the cache.

    Raises:
        MissingExtraError: transformers is not installed.
        EnvironmentFailedError: it is neither in the cache nor to be had from the Hub.
    """
    load_libraries("local", "transformers")
    from transformers.utils.hub import cached_file

    try:
        # The folder of a snapshot is named after its commit.
        return Path(str(cached_file(hub_id, "config.json"))).parent.name
    except OSError as error:
        raise EnvironmentFailedError(
            f"{hub_id} is neither in the Hub cache nor to be had from the Hub ({one_line(str(error)).rstrip('.')}). "
            f"Where there is a network, and access to the model, run: hf download {hub_id}"
        ) from error


def hub_folder(hub_id: str, revision: str, *, weights: bool = True) -> Path:
    """Return the folder in the Hub cache that holds a commit of a model, downloaded unless it is there.

    Args:
        hub_id: its id on the Hub.
        revision: the commit.
        weights: with them; without, its configuration and tokenizer alone.

    Raises:
        MissingExtraError: transformers is not installed.
        EnvironmentFailedError: it is neither in the cache nor to be had from the Hub.
    """
    load_libraries("local", "huggingface_hub")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    wanted = ["*.json", "*.jinja", "*.model", "*.txt", *(["*.safetensors"] if weights else [])]
    try:
        return Path(snapshot_download(hub_id, revision=revision, allow_patterns=wanted))
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise _not_to_be_had(hub_id, revision, error) from error


def _not_to_be_had(hub_id: str, revision: str, error: Exception) -> EnvironmentFailedError:
    return EnvironmentFailedError(
        f"{hub_id} at {revision[:12]} is neither in the Hub cache nor to be had from the Hub "
        f"({one_line(str(error)).rstrip('.')}). Where there is a network, and access to the model, run: "
        f"hf download {hub_id} --revision {revision}"
    )


def _from_hub(hub_id: str, revision: str, device: str | None) -> tuple[Any, Any]:
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise UsageError(
            f"{hub_id}: revision is {revision!r}; expected a commit of it on the Hub, 40 hexadecimal digits"
        )
    try:
        return _from_pretrained(hub_id, device, revision=revision)
    except OSError as error:
        raise _not_to_be_had(hub_id, revision, error) from error


def _from_pretrained(source: Path | str, device: str | None, **arguments: Any) -> tuple[Any, Any]:
    """Return network and tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if where.startswith("cuda") else torch.float32
    network: Any = AutoModelForCausalLM.from_pretrained(source, dtype=dtype, **arguments)
    return network.to(where).eval(), AutoTokenizer.from_pretrained(source, **arguments)


def _asked(request: Request) -> _Asked:
    if not request.options:
        raise UsageError(f"{request.label}: asked to {request.settings.answer}, and there are no options")
    letters = tuple(LETTERS[: len(request.options)])
    texts = letters if request.settings.answer == "score_letters" else request.options
    return _Asked(request.messages, texts, request.settings.score_end)


def _with_priors(reply: Reply, priors: Sequence[Reply]) -> Reply:
    failed = next((one for one in (reply, *priors) if one.status == "error"), None)
    return failed or msgspec.structs.replace(reply, option_priors=tuple(one.option_logprobs[0] for one in priors))
