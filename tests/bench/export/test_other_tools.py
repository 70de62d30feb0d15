"""lm-evaluation-harness and Inspect run our questions for real, and their scores are ours, reply by reply."""

import asyncio
import hashlib
import json
import os
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from aiohttp import web
from msgspec.structs import replace

from globmed.bench.effort import Effort
from globmed.bench.export.coming_back import import_replies, read_saved
from globmed.bench.export.lm_eval import export_lm_eval
from globmed.bench.pipeline import bench_run, bench_score
from globmed.bench.scoring import SCORES, Score
from globmed.bench.selection import Plan
from globmed.core.store import read_records
from globmed.models.client import Settings
from globmed.models.opening import open_client

MakeData = Callable[..., Path]
TOOLS = Path(__file__).parents[3] / ".venv-harnesses"
PLAN = Plan(languages=("en", "es", "sw"), settings=Settings(max_tokens=64), scale_limits=False)
SAID = (
    ("Answer: {}", "stop"),
    ("{}", "stop"),
    ("**{}**", "stop"),
    ("The correct answer is ({}).", "stop"),
    ("Jibu: {}", "stop"),
    ("<think>\nA or B?\n</think>\n\nAnswer: {}", "stop"),
    ("Answer: {}. That is for", "length"),
    ("I am not sure.", "stop"),
    ("A or B", "stop"),
    (None, "content_filter"),
    ("", "stop"),
)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Server:
    """A chat endpoint on 127.0.0.1 whose reply depends on the question alone."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.url = ""
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

    async def _answer(self, request: web.Request) -> web.Response:
        (message,) = (await request.json())["messages"]
        content = message["content"]
        text = content if isinstance(content, str) else content[0]["text"]
        self.asked[text] += 1
        drawn = hashlib.sha256(text.encode()).digest()
        said, finish = SAID[drawn[0] % len(SAID)]
        message = {"role": "assistant", "content": said and said.format("ABCD"[drawn[1] % 4])}
        choice = {"index": 0, "message": message, "finish_reason": finish}
        usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
        whole = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        return web.json_response({**whole, "usage": usage})

    def _serve(self) -> None:
        async def start() -> web.AppRunner:
            served = web.Application()
            served.router.add_post("/v1/chat/completions", self._answer)
            runner = web.AppRunner(served, shutdown_timeout=0.1)
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
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def program(tool: str, name: str) -> Path:
    if not (TOOLS / tool / "ready").is_file():
        pytest.skip(f"{tool} is not installed (make harnesses)")
    return TOOLS / tool / "bin" / name


def run_tool(command: list[object], folder: Path) -> None:
    """Run a tool where no network but 127.0.0.1 is wanted."""
    offline = {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(folder / "hf"),
        "NO_PROXY": "127.0.0.1",
    }
    keys = {"OPENAI_API_KEY": "none", "LOCAL_API_KEY": "none"}
    done = subprocess.run(
        list(map(str, command)),
        env=os.environ | offline | keys,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def scored(run: Path) -> dict[str, tuple[str | None, bool]]:
    bench_score(run)
    scores = read_records(run / "scores", Score, prefix=SCORES)
    return {f"{one.family}/{one.language}/{one.answer}/{one.run}": (one.letter, one.correct) for one in scores}


def billed(run: Path) -> list[tuple[str, str, str, str, int, int]]:
    """Return how each reply ended and its tokens."""
    return sorted(
        (one.family, one.language, one.reply_status, one.outcome, one.input_tokens, one.output_tokens)
        for one in read_records(run / "scores", Score, prefix=SCORES)
    )


def ours(data: Path, run: Path, url: str) -> dict[str, tuple[str | None, bool]]:
    bench_run([f"api:m@{url}"], data=data, plan=PLAN, out=run)
    return scored(run)


def brought_back(data: Path, run: Path, url: str, tool: str, files: list[Path]) -> dict[str, tuple[str | None, bool]]:
    bench_run([f"api:m@{url}"], data=data, plan=PLAN, out=run, effort=Effort(estimate_only=True))
    client = open_client(f"api:m@{url}", to_ask=False)
    found = import_replies(run, client, read_saved(tool, files))  # type: ignore[arg-type]
    assert (found.known, found.missing) == (0, 0)
    return scored(run)


@pytest.fixture
def data(make_data: MakeData) -> Path:
    return make_data(
        sources=("made", "other", "third"),
        change=lambda item: replace(item, question=f"{item.source}: {item.question}"),
    )


def test_lm_evaluation_harness_scores_as_we_do(data: Path, tmp_path: Path, server: Server) -> None:
    lm_eval = program("lm_eval", "lm_eval")
    expected = ours(data, tmp_path / "run", server.url)
    assert len(expected) == 216
    assert {"A", None} <= {letter for letter, _ in expected.values()}
    export_lm_eval(data, PLAN, out=tmp_path / "tasks")
    url = f"{server.url}/chat/completions"
    command = [lm_eval, "run", "--model", "local-chat-completions", "--tasks", "globmed_mcqa"]
    command += ["--model_args", f"model=m,base_url={url},num_concurrent=8", "--include_path", tmp_path / "tasks"]
    command += ["--apply_chat_template", "--log_samples", "--output_path", tmp_path / "out"]
    run_tool(command, tmp_path)
    files = sorted((tmp_path / "out").rglob("samples_*.jsonl"))
    theirs = {}
    for path in files:
        for line in path.read_text().splitlines():
            row = json.loads(line)
            ((letter,),) = (row["filtered_resps"],)
            theirs[row["doc"]["id"]] = (None if letter == "unread" else letter, row["acc"] == 1)
    assert theirs == expected
    assert brought_back(data, tmp_path / "back", server.url, "lm-eval", files) == expected
    assert set(server.asked.values()) == {2}


def test_inspect_scores_as_we_do(data: Path, tmp_path: Path, server: Server) -> None:
    inspect = program("inspect", "inspect")
    expected = ours(data, tmp_path / "run", server.url)
    command = [inspect, "eval", "globmed/medical", "-T", f"data={data}", "-T", "max_tokens=64"]
    command += ["--model", "openai-api/local/m", "--model-base-url", server.url, "--display", "none"]
    run_tool([*command, "--log-dir", tmp_path / "logs", "--log-format", "json"], tmp_path)
    files = list((tmp_path / "logs").glob("*.json"))
    assert brought_back(data, tmp_path / "back", server.url, "inspect", files) == expected
    assert billed(tmp_path / "back") == billed(tmp_path / "run")
    assert {"ok", "truncated", "filtered"} == {status for _, _, status, *_ in billed(tmp_path / "run")}
    theirs = {}
    for sample in json.loads(files[0].read_bytes())["samples"]:
        (score,) = sample["scores"].values()
        letter = score["answer"] if score["answer"] in tuple("ABCD") else None
        theirs[sample["id"]] = (letter, score["value"] == 1)
    assert theirs == expected
    assert set(server.asked.values()) == {2}
