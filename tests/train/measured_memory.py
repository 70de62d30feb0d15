"""Prints what a training run took beside what it was said to take, in bytes: run by `test_resources`."""

import gc
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from globmed.train import resources, sft, size
from globmed.train.network import config_of, network_of
from globmed.train.recipe import Data, Examples, Optimisation, Recipe, Scratch
from globmed.train.trainer import fit


def main(release: str, precision: str, checkpointing: str) -> None:
    recipe = Recipe(
        data=Data(folder=release),
        scratch=Scratch(hidden_size=512, layers=8, ffn_size=1536, heads=8, key_value_heads=4, context_tokens=4096),
        examples=Examples(prompts=("mcqa_text",)),
        optimisation=Optimisation(
            tokens=8192,
            batch_tokens=4096,
            row_tokens=4096,
            threads=2,
            precision=precision,  # type: ignore[arg-type]
            gradient_checkpointing=checkpointing == "yes",
        ),
    )
    prepared = sft.plan(recipe)
    need = resources.needs(
        size.sized(recipe, prepared.tokenizer),
        size.kept_of(config_of(recipe, prepared.tokenizer), precision),
        resources.Setup.of(recipe),
        answers_most=prepared.work.answers_most,
        on_gpu=False,
    )
    gc.collect()
    process, most, done = psutil.Process(), [0], threading.Event()
    before = process.memory_info().rss

    def watch() -> None:
        while not done.is_set():
            most[0] = max(most[0], process.memory_info().rss)
            time.sleep(0.005)

    watching = threading.Thread(target=watch)
    watching.start()
    network = network_of(recipe, prepared.tokenizer)
    fit(network, prepared.encoded, prepared.rows, recipe, work=Path(tempfile.mkdtemp()))
    done.set()
    watching.join()
    sys.stdout.write(f"{need.total} {most[0] - before}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
