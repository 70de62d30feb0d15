"""The contender of `local_scoring.py` that is ours: MODEL QUESTIONS OUT."""

import json
import sys
import time
from pathlib import Path

from globmed.models.client import Message, Request, Settings
from globmed.models.local import LocalModel

model_folder, questions_file, out_file = map(Path, sys.argv[1:])
model = LocalModel.load(model_folder, device="cpu")
questions = json.loads(questions_file.read_text(encoding="utf-8"))


def score(some: list[dict[str, object]]) -> list[tuple[float, ...]]:
    """Ask in batches of the size that a campaign gives the client."""
    requests = [
        Request(
            messages=(Message("user", str(one["prompt"])),),
            options=tuple(one["options"]),  # type: ignore[arg-type]
            settings=Settings(answer="score_options"),
        )
        for one in some
    ]
    size = model.batch_size
    batches = [requests[begin : begin + size] for begin in range(0, len(requests), size)]
    return [reply.option_logprobs for batch in batches for reply in model.answer_now(batch)]


score(questions[:2])
began, cpu_began = time.perf_counter(), time.process_time()
logprobs = score(questions)
spent = {"cpu_seconds": time.process_time() - cpu_began, "wall_seconds": time.perf_counter() - began}
out_file.write_text(json.dumps({**spent, "logprobs": logprobs}))
