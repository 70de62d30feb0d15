"""Translation by an encoder-decoder checkpoint in this process: NLLB-200, M2M-100, MADLAD-400, or one tuned from them.

How a checkpoint is told the languages is read from its own vocabulary: NLLB's tokens are FLORES-200 codes (`wol_Latn`),
M2M-100's stand between underscores (`__wo__`), MADLAD's name the target before the text (`<2wo>`). Long texts go in
sentence by sentence, as these models were trained.

NLLB Team, "Scaling neural machine translation to 200 languages", Nature 630, 2024; Fan et al., "Beyond English-Centric
Multilingual Machine Translation", JMLR 22, 2021; Kudugunta et al., "MADLAD-400", NeurIPS 2023. NLLB's weights are under
CC BY-NC 4.0, and so is, for all anybody knows, what they write: mind that before a release.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from globmed.core.errors import EnvironmentFailedError, InputError, UsageError
from globmed.core.language import language
from globmed.models.chat_reply import one_line
from globmed.models.client import Reply, Request, Usage
from globmed.models.local import hub_commit, load_libraries, weights_hash
from globmed.models.local_scoring import token_batches
from globmed.models.pace import THIS_PROCESS
from globmed.models.sentences import cut, put_together, to_translate

BEAMS = 4
# Of a translation to its original, in tokens; beyond it the model has lost its way.
_GROWTH_MAX, _GROWTH_TOKENS = 3, 20
# Where the configuration states no limit: T5 has none of its own.
_INPUT_MAX = 1024


class Tongues(NamedTuple):
    """How one checkpoint is told what to translate into what.

    Attributes:
        source: code for the tokenizer; empty where the text's language is not told.
        first: token that the translation is made to begin with; None where there is none.
        prefix: put before the text.
    """

    source: str
    first: int | None
    prefix: str


class _Asked(NamedTuple):
    text: str
    ids: tuple[int, ...]


class _Made(NamedTuple):
    text: str
    is_whole: bool
    tokens_read: int
    tokens_written: int


class Seq2SeqModel:
    """A checkpoint that translates in one direction; satisfies `globmed.models.client.Client`.

    The text to translate is a request's last message; a request's settings do not matter to it.
    """

    on_this_machine = True
    batch_size = 256
    pace = THIS_PROCESS

    def __init__(
        self, *, model: str, revision: str, network: Callable[[], Any], tokenizer: Any, source: str, target: str
    ) -> None:
        """Wrap a checkpoint.

        Args:
            model: id of the checkpoint.
            revision: hash or commit of the weights.
            network: gives a transformers encoder-decoder in evaluation mode, when it is first needed.
            tokenizer: its tokenizer.
            source: BCP 47 code.
            target: BCP 47 code.

        Raises:
            UsageError: the checkpoint does not know one of the languages.
        """
        self.model, self.revision = f"{model}:{source}-{target}", revision
        self._network, self._tokenizer = network, tokenizer
        self._tongues = tongues(tokenizer, source, target, model=model)
        # What is too long is found here and said of the item; the tokenizer's own warning names nothing.
        tokenizer.model_max_length = sys.maxsize

    @classmethod
    def load(cls, weights: str, *, source: str, target: str) -> Seq2SeqModel:
        """Open a checkpoint in a folder, or by its id on the Hub; the weights are loaded when first asked.

        Raises:
            MissingExtraError: torch or transformers is not installed.
            InputError: the folder is not a model's.
            UsageError: the checkpoint does not know one of the languages.
            EnvironmentFailedError: it is neither in the cache nor to be had from the Hub.
        """
        load_libraries("local", "torch", "transformers")
        folder = Path(weights)
        if is_folder := folder.is_dir():
            _check_folder(folder)
        revision = weights_hash(folder) if is_folder else hub_commit(weights)
        name = folder.resolve().name if is_folder else weights
        try:
            tokenizer = _tokenizer(weights, None if is_folder else revision)
        except OSError as error:
            raise EnvironmentFailedError(f"{weights}: {one_line(str(error))}") from error
        network = partial(_network, weights, None if is_folder else revision)
        return cls(model=name, revision=revision, network=network, tokenizer=tokenizer, source=source, target=target)

    def sent(self, request: Request) -> Mapping[str, Any]:
        """Return the text, and how it is translated."""
        return {"text": request.messages[-1].content, "beams": BEAMS, "dtype": _place()[1]}

    async def answer(self, batch: Sequence[Request]) -> Sequence[Reply]:
        """Translate a batch off the event loop, so that signals are still heard."""
        return await asyncio.to_thread(self.answer_now, batch)

    async def close(self) -> None:
        """Nothing to free before the process ends."""

    def answer_now(self, batch: Sequence[Request]) -> list[Reply]:
        """Translate a batch; see `answer`."""
        parts = [cut(request.messages[-1].content) for request in batch]
        made = self._translate(to_translate(parts))
        texts = {sentence: one.text for sentence, one in made.items()}
        replies = []
        for each in parts:
            of_it = [made[part] for part in each[::2] if part in made]
            whole = all(one.is_whole for one in of_it)
            read, written = sum(one.tokens_read for one in of_it), sum(one.tokens_written for one in of_it)
            replies.append(
                Reply(
                    status="ok" if whole else "truncated",
                    text=put_together(each, texts),
                    finish="stop" if whole else "length",
                    usage=Usage(input=read, output=written),
                )
            )
        return replies

    def _translate(self, texts: Sequence[str]) -> dict[str, _Made]:
        # Several directions share the tokenizer, one call at a time.
        if self._tongues.source:
            self._tokenizer.src_lang = self._tongues.source
        encoded = [self._tokenizer(self._tongues.prefix + text).input_ids for text in texts]
        made: dict[str, _Made] = {}
        asked = [_Asked(text, tuple(ids)) for text, ids in zip(texts, encoded, strict=True)]
        # A sentence that does not fit is given as far as it does, and its translation is none of the whole.
        for batch in token_batches(asked, width=lambda one: (1 + _GROWTH_MAX) * len(one.ids) + _GROWTH_TOKENS):
            made.update(zip((one.text for one in batch), self._generate(batch), strict=True))
        return made

    def _generate(self, batch: Sequence[_Asked]) -> list[_Made]:
        import torch

        network = self._network()
        limit = int(getattr(network.config, "max_position_embeddings", 0) or _INPUT_MAX)
        padded = self._tokenizer.pad(
            {"input_ids": [list(one.ids[:limit]) for one in batch]}, padding_side="right", return_tensors="pt"
        ).to(network.device)
        longest = padded.input_ids.shape[1]
        with torch.inference_mode():
            out_bl = network.generate(
                input_ids=padded.input_ids,
                attention_mask=padded.attention_mask,
                num_beams=BEAMS,
                do_sample=False,
                max_new_tokens=min(_GROWTH_MAX * longest + _GROWTH_TOKENS, limit - 2),
                forced_bos_token_id=self._tongues.first,
            )
        ends = network.generation_config.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends])
        made = []
        for one, row in zip(batch, out_bl.tolist(), strict=True):
            # The decoder's own first token is often the end token.
            stop = next((place for place, token in enumerate(row[1:], start=1) if token in ends), None)
            text = self._tokenizer.decode(row[1:stop], skip_special_tokens=True).strip()
            is_whole = stop is not None and len(one.ids) <= limit
            made.append(_Made(text, is_whole, min(len(one.ids), limit), (stop or len(row)) - 1))
        return made


def tongues(tokenizer: Any, source: str, target: str, *, model: str) -> Tongues:
    """Find out how a checkpoint is told the languages.

    Args:
        tokenizer: a transformers tokenizer.
        source: BCP 47 code.
        target: BCP 47 code.
        model: named in the error.

    Raises:
        UsageError: its vocabulary has no token for one of the languages.
    """
    vocabulary = tokenizer.get_vocab()
    flores = language(source).flores, language(target).flores
    if all(code in vocabulary for code in flores):
        return Tongues(flores[0], vocabulary[flores[1]], "")
    between = f"__{source}__", f"__{target}__"
    if all(token in vocabulary for token in between):
        return Tongues(source, vocabulary[between[1]], "")
    if (tag := f"<2{target}>") in vocabulary:
        return Tongues("", None, f"{tag} ")
    raise UsageError(
        f"{model}: its vocabulary has no token for {source} and {target} ({', '.join(flores)}; {', '.join(between)}; "
        f"or {tag}); expected NLLB, M2M-100, MADLAD-400 or a model tuned from them, in languages it knows"
    )


def _check_folder(folder: Path) -> None:
    """Raise an InputError that says what a folder lacks; the revision is a hash of what it asks for."""
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise InputError.at(
            str(folder),
            found=", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing",
            expected="a checkpoint with config.json and safetensors",
            remedy="Save it again with transformers' save_pretrained",
        )


def _place() -> tuple[str, str]:
    """Return where the network runs and its numbers' type: bfloat16 on a GPU, float32 on the CPU."""
    import torch

    return ("cuda", "bfloat16") if torch.cuda.is_available() else ("cpu", "float32")


@cache
def _network(weights: str, commit: str | None) -> Any:
    """Load a network, into memory once for all its directions."""
    import torch
    from transformers import AutoModelForSeq2SeqLM

    where, dtype = _place()
    network: Any = AutoModelForSeq2SeqLM.from_pretrained(weights, dtype=getattr(torch, dtype), **_of(commit))
    return network.to(where).eval()


@cache
def _tokenizer(weights: str, commit: str | None) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(weights, **_of(commit))


def _of(commit: str | None) -> dict[str, Any]:
    return {"local_files_only": True} if commit is None else {"revision": commit}
