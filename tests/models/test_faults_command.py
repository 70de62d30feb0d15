"""The real command: a disk that is full, and an endpoint that repeats the API key wherever it can."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]
Completion = Callable[..., dict[str, Any]]
KEY = "sk-live/0123+456789=abcdef"


class Done(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int | None
    out: str
    err: str


async def globmed(*arguments: str | Path, file_bytes_max: int | None = None, **environment: str) -> Done:
    """Run the command; with a bound, every file it writes may have so many bytes, as on a disk that is full."""
    bound = f"import resource as r; r.setrlimit(r.RLIMIT_FSIZE, ({file_bytes_max}, {file_bytes_max})); "
    program = (bound if file_bytes_max else "") + "from globmed.__main__ import main; main()"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *map(str, arguments), stdout=PIPE, stderr=PIPE, env=os.environ | environment
    )
    out, err = await child.communicate()
    return Done(child.returncode, out.decode(), err.decode())


def run_arguments(data: Path, url: str, run: Path) -> list[str | Path]:
    return ["--debug", "bench", "run", "--data", data, "--model", f"api:made@{url}", "--out", run, "--no-scale-limits"]


@pytest.mark.slow
async def test_a_full_disk_exits_3_and_the_same_command_goes_on(
    serve: Serve, completion: Completion, vitals_release: Path, tmp_path: Path
) -> None:
    asked = Counter[str]()

    async def answer(request: web.Request) -> web.StreamResponse:
        content = (await request.json())["messages"][-1]["content"]
        asked[content] += 1
        letter = "ABCD"[len(content) % 4]
        return web.json_response(completion(f"Answer: {letter}", reasoning="as far as I can see, " * 40))

    url = await serve(answer)
    quiet, full = (run_arguments(vitals_release, url, tmp_path / name) for name in ("quiet", "full"))
    assert (await globmed(*quiet)).code == 0
    once = Counter(asked)
    asked.clear()
    stopped = await globmed(*full, file_bytes_max=100_000)
    assert stopped.code == 3
    assert "File too large" in stopped.err.splitlines()[-1]
    assert "what was reported as done is kept" in stopped.err.splitlines()[-1]
    assert 0 < asked.total() < once.total()
    again = await globmed(*full)
    assert (again.code, asked.keys()) == (0, once.keys())
    # What was paid for twice was under way or on its way to the disk.
    assert asked.total() - once.total() <= 32 + 64
    scores = [await globmed("bench", "score", tmp_path / name, "--json") for name in ("quiet", "full")]
    assert scores[0].out == scores[1].out
    assert json.loads(scores[0].out)


@pytest.fixture
def echoes(completion: Completion) -> dict[str, Callable[[str], web.Response]]:
    """Every kind of answer, with the header that the key came in repeated in it."""

    def failed(status: int, said: str, **error: str) -> web.Response:
        body = {"error": {"message": f"wrong: {said}", **error}}
        headers = {"X-Echo": said, "Set-Cookie": f"key={said}", "WWW-Authenticate": said}
        return web.json_response(body, status=status, headers=headers)

    return {
        "answer": lambda said: web.json_response(completion(f"Answer: A {said}"), headers={"X-Echo": said}),
        "reasoning": lambda said: web.json_response(completion("Answer: A", reasoning=said)),
        "escaped": lambda said: web.Response(text=json.dumps(completion(f"Answer: B {said}")).replace("/", "\\/")),
        "truncated": lambda said: web.json_response(completion(said, "length")),
        "refused": lambda said: web.json_response(completion(None, refusal=said)),
        "filtered": lambda said: web.json_response(completion(said, "content_filter")),
        "finish": lambda said: web.json_response(completion("Answer: C", said)),
        "Azure": lambda said: failed(400, said, code="content_filter"),
        "our fault": lambda said: failed(400, said),
        "plain": lambda said: web.Response(status=404, text=f"no such page for {said}", reason=f"No {said}"),
        "redirect": lambda said: web.Response(status=307, headers={"Location": f"http://127.0.0.1/{said}"}, text=said),
    }  # fmt: skip


@pytest.fixture
def passing(completion: Completion) -> dict[str, Callable[[str], web.Response]]:
    """The same for what is tried again."""
    return {
        "busy": lambda said: web.Response(status=503, text=said, headers={"X-Echo": said, "Retry-After": said}),
        "unreadable": lambda said: web.Response(text=said),
        "empty": lambda said: web.json_response({"choices": [], "error": {"message": said}}),
        "late": lambda said: web.json_response(completion(said, "error")),
        "null": lambda said: web.json_response(completion(None, said)),
        "broken gzip": lambda said: web.Response(text=said, headers={"Content-Encoding": "gzip", "X-Echo": said}),
    }


def hidden_in(folder: Path) -> list[Path]:
    """Return the files that hold the key, in their bytes or in what Parquet packs."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    forms = (KEY, KEY.replace("/", "\\/"))
    texts = {path: path.read_bytes().decode("utf-8", "replace") for path in files}
    texts |= {path: str(pq.read_table(path).to_pylist()) for path in files if path.suffix == ".parquet"}
    return [path for path, text in texts.items() if any(form in text for form in forms)]


@pytest.mark.slow
async def test_the_key_is_in_no_file_no_output_and_no_report(
    serve: Serve,
    echoes: dict[str, Callable[[str], web.Response]],
    passing: dict[str, Callable[[str], web.Response]],
    vitals_release: Path,
    tmp_path: Path,
) -> None:
    kinds, tried, got = [*echoes, *passing], list[str](), set[str]()

    async def echo(request: web.Request) -> web.StreamResponse:
        said = request.headers["Authorization"]
        got.add(said)
        content = (await request.json())["messages"][-1]["content"]
        if content in tried:
            return echoes["answer"](said)
        tried.append(content)
        kind = kinds[len(tried) % len(kinds)]
        return (echoes | passing)[kind](said)

    run = tmp_path / "run"
    arguments = run_arguments(vitals_release, await serve(echo), run)
    done = [
        await globmed(*arguments, "--limit", "20", GLOBMED_API_KEY=KEY),
        await globmed("--debug", "bench", "score", run),
        await globmed("--debug", "bench", "report", run),
    ]
    assert [one.code for one in done] == [0, 0, 0], done
    assert got == {f"Bearer {KEY}"}
    assert len(tried) >= len(kinds)
    (journal,) = (run / "replies").glob("*.journal")
    for kind in ("Answer: A Bearer [key]", "Answer: B Bearer [key]", "wrong: Bearer [key]", "page for Bearer [key]"):
        assert kind in journal.read_text()
    assert "[key]" in done[0].out
    assert hidden_in(run) == []
    assert KEY not in "".join(one.out + one.err for one in done)


@pytest.mark.parametrize(
    "status", [401, pytest.param(402, marks=pytest.mark.slow), pytest.param(429, marks=pytest.mark.slow)]
)
async def test_the_key_is_not_in_the_error_that_stops_a_run(
    serve: Serve, vitals_release: Path, tmp_path: Path, status: int
) -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        said = request.headers["Authorization"]
        error = {"message": f"wrong: {said}", "code": "insufficient_quota"}
        return web.json_response({"error": error}, status=status, headers={"Retry-After": said})

    arguments = run_arguments(vitals_release, await serve(echo), tmp_path / "run")
    done = await globmed(*arguments, GLOBMED_API_KEY=KEY)
    assert done.code == 3
    assert "Traceback" in done.err
    assert f"answers nobody: HTTP {status}: wrong: Bearer [key]" in done.err
    assert KEY not in done.out + done.err
    assert [
        path for path in (tmp_path / "run").rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()
    ] == []
