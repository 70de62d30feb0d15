"""The contender of `local_scoring.py` that is lm-evaluation-harness: MODEL QUESTIONS BATCH_SIZE OUT.

Runs in the virtual environment that has it, and not globmed.
"""

import json
import sys
import time
from pathlib import Path

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

model_folder, questions_file, batch_size, out_file = sys.argv[1:]
model = HFLM(pretrained=model_folder, device="cpu", dtype="float32", batch_size=batch_size)
questions = json.loads(Path(questions_file).read_text(encoding="utf-8"))


def score(some: list[dict[str, object]]) -> list[list[float]]:
    """Ask for each option as the harness's multiple-choice tasks do: after the prompt and a space."""
    requests = [
        Instance(
            request_type="loglikelihood",
            doc={},
            arguments=(question["prompt"], f" {option}"),
            idx=place,
        )
        for question in some
        for place, option in enumerate(question["options"])
    ]
    scores = iter(logprob for logprob, _ in model.loglikelihood(requests, disable_tqdm=True))
    return [[next(scores) for _ in question["options"]] for question in some]


score(questions[:2])
began, cpu_began = time.perf_counter(), time.process_time()
logprobs = score(questions)
spent = {"cpu_seconds": time.process_time() - cpu_began, "wall_seconds": time.perf_counter() - began}
Path(out_file).write_text(json.dumps({**spent, "logprobs": logprobs}), encoding="utf-8")
