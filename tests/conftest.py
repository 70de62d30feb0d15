"""Fixtures that all tests share."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest
from aiohttp import web
from hypothesis import settings

REPOSITORY = Path(__file__).parents[1]

# The same examples each time, however slow the machine; `pytest --hypothesis-profile=other` looks for others.
settings.register_profile("other", settings.get_profile("ci"), derandomize=False)
settings.load_profile("ci")

Answer = Callable[[dict[str, Any]], str | Mapping[str, Any] | int]


class ChatServer:
    """A chat endpoint on 127.0.0.1, in a thread of its own.

    Attributes:
        answer: given a request's body, the text of the reply, its whole body, or a status to fail with.
        usage: tokens read and written that a reply given as text is billed with.
        seconds: each reply takes.
        url: for `api:MODEL@URL`.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer, self.usage, self.seconds, self.url = answer, (100, 10), 0.0, ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _handle(self, request: web.Request) -> web.Response:
        reply = self.answer(await request.json())
        await asyncio.sleep(self.seconds)
        if isinstance(reply, int):
            return web.Response(status=reply, text="no")
        if isinstance(reply, Mapping):
            return web.json_response(reply)
        choice = {"message": {"role": "assistant", "content": reply}, "finish_reason": "stop"}
        usage = dict(zip(("prompt_tokens", "completion_tokens"), self.usage, strict=True))
        return web.json_response({"choices": [choice], "usage": usage})

    def _serve(self) -> None:
        async def start() -> web.AppRunner:
            app = web.Application()
            app.router.add_post("/v1/chat/completions", self._handle)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            return runner

        runner = self._loop.run_until_complete(start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()


@pytest.fixture
def serve_chat() -> Iterator[Callable[[Answer], ChatServer]]:
    """Start servers that answer by a function, and stop them when the test is over."""
    with ExitStack() as running:
        yield lambda answer: running.enter_context(ChatServer(answer))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the publishers' real files; the test is skipped, with the reason, where it is absent."""
    folder = Path(os.environ.get("GLOBMED_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "headqa").is_dir():
        pytest.skip(f"the publishers' real files are not at {folder} (set GLOBMED_REAL_DATA)")
    return folder


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Qwen3-architecture model of random weights, its tokenizer and chat template."""
    from globmed.train import scratch
    from globmed.train.recipe import Scratch

    shapes = Scratch(hidden_size=32, layers=2, ffn_size=64, heads=4, key_value_heads=2, vocabulary=400)
    tokenizer = scratch.train_tokenizer(
        ["Which reading is high? 118 per minute.", "Mapigo ya moyo 72 kwa dakika", "脉搏每分钟118次"] * 5, shapes
    )
    folder = tmp_path_factory.mktemp("models") / "small"
    scratch.new_network(shapes, tokenizer, seed=0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def vitals_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of the procedural source in English, Swahili and Yoruba."""
    from globmed.data import pipeline

    out = tmp_path_factory.mktemp("vitals")
    imported = pipeline.import_dataset(["vitals"], languages=["en", "sw", "yo"], out=out)
    return pipeline.release_items(pipeline.cluster_items(imported.folder, out=out).folder, out=out).folder


@pytest.fixture(scope="session")
def trained_model(vitals_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model that a recipe trained for a few steps."""
    from globmed.train.recipe import Data, Examples, Optimisation, Recipe, Scratch
    from globmed.train.sft import train

    recipe = Recipe(
        data=Data(folder=str(vitals_release)),
        scratch=Scratch(hidden_size=32, layers=2, ffn_size=64, vocabulary=600, context_tokens=2048),
        examples=Examples(prompts=("mcqa_text",), closed_book=True),
        optimisation=Optimisation(tokens=30_000, batch_tokens=1024, row_tokens=512, learning_rate=4e-3, threads=1),
    )
    folder = tmp_path_factory.mktemp("trained") / "few-steps"
    train(recipe, out=folder)
    return folder
