"""Several processes: the same steps, losses and weights as one; a model in shards learns what a whole one does."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.multiprocessing.spawn import spawn
from transformers import AutoModelForCausalLM, Qwen3Config, Qwen3ForCausalLM

from globmed.core.store import read_manifest, read_records
from globmed.train import attention
from globmed.train.encoding import Encoded
from globmed.train.recipe import read_recipe
from globmed.train.sft import train
from globmed.train.steps import Evaluated, Loss
from globmed.train.trainer import IGNORED, PackedRows, answer_loss

LAUNCH = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--rdzv-backend=c10d"]
LAUNCH += ["--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1"]


@pytest.mark.slow
def test_two_processes_learn_what_one_does_and_the_first_writes(asking_recipe: Path, tmp_path: Path) -> None:
    train(read_recipe(asking_recipe), out=tmp_path / "one")
    command = [*LAUNCH, "-m", "globmed", "train", "run", str(asking_recipe), "--out", str(tmp_path / "two"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count('"folder"') == 1
    one, two = (list(read_records(tmp_path / name, Loss, prefix="losses")) for name in ("one", "two"))
    assert [row.step for row in one] == [row.step for row in two]
    assert [row.loss for row in two] == pytest.approx([row.loss for row in one], rel=1e-4)
    assert [row.gradient_norm for row in two] == pytest.approx([row.gradient_norm for row in one], rel=1e-3)
    asked = [list(read_records(tmp_path / name, Evaluated, prefix="evaluations")) for name in ("one", "two")]
    assert [row.probability for row in asked[1]] == pytest.approx([row.probability for row in asked[0]], abs=1e-4)
    networks: list[Any] = [AutoModelForCausalLM.from_pretrained(tmp_path / name) for name in ("one", "two")]
    for first, second in zip(*(network.parameters() for network in networks), strict=True):
        assert torch.allclose(first, second, atol=1e-4)
    assert read_manifest(tmp_path / "two").counts == read_manifest(tmp_path / "one").counts


def shards_and_whole(rank: int, port: int, folder: str) -> None:
    """Learn one step from two rows, sharded over two processes and whole; save what either learnt; end the process."""
    import torch.distributed as dist
    from torch.distributed.fsdp import fully_shard

    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    rows = packed_rows()
    labelled = sum(int((rows[place]["labels"] != IGNORED).sum()) for place in range(2))
    whole, sharded = small_network(), small_network()
    for layer in sharded.model.layers:
        fully_shard(layer)
    fully_shard(sharded)
    for network, places in ((whole, (0, 1)), (sharded, (rank,))):
        for place in places:
            # Sharded gradients are averaged over the two processes.
            loss: Any = answer_loss(network, rows[place]) / labelled * (2 if network is sharded else 1)
            loss.backward()
        torch.optim.SGD(network.parameters(), lr=1.0).step()
    learnt = {name: one.full_tensor().detach() for name, one in sharded.named_parameters()}
    if rank == 0:
        torch.save({"whole": dict(whole.named_parameters()), "sharded": learnt}, Path(folder) / "weights.pt")
    dist.barrier()
    # A thread of gloo that frees a tensor while Python winds up aborts its process (pytorch/pytorch#190489).
    os._exit(0)


def small_network() -> Any:
    torch.manual_seed(0)
    shapes: dict[str, Any] = {"vocab_size": 96, "hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}
    heads: dict[str, Any] = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
    network = Qwen3ForCausalLM(Qwen3Config(**shapes, **heads))
    attention.register()
    network.set_attn_implementation(attention.NAME)
    return network


def packed_rows(processes: int = 1) -> PackedRows:
    """Give two rows of three and two examples of random tokens."""
    rng = np.random.default_rng(0)
    lengths = np.array([9, 14, 7, 20, 11])
    encoded = Encoded(
        ids=rng.integers(1, 96, lengths.sum()).astype(np.int32),
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        answers=np.array([2, 5, 1, 6, 3]),
        variants=np.arange(6),
        part=np.array(["questions"] * 5),
        language=np.array(["en"] * 5),
        names=tuple(f"s:{number} (en)" for number in range(5)),
    )
    return PackedRows(encoded, [np.array([0, 1, 2]), np.array([3, 4])], processes=processes)


@pytest.mark.slow
def test_a_sharded_model_learns_what_a_whole_one_does(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start: Any = spawn
    start(shards_and_whole, args=(port, str(tmp_path)), nprocs=2)
    weights = torch.load(tmp_path / "weights.pt", weights_only=True)
    started = dict(small_network().named_parameters())
    for name, whole in weights["whole"].items():
        assert torch.allclose(weights["sharded"][name], whole, atol=1e-5), name
    name = "model.layers.0.mlp.up_proj.weight"
    assert not torch.allclose(weights["whole"][name], started[name], atol=1e-5)


def test_rows_that_fill_up_a_step_carry_no_loss() -> None:
    filled = packed_rows(processes=3)
    assert (len(packed_rows()), len(filled)) == (2, 3)
    assert (filled[2]["labels"] == IGNORED).all()
    network = small_network()
    loss: Any = answer_loss(network, filled[2])
    loss.backward()
    assert float(loss.detach()) == 0
    assert all(float(one.grad.abs().max()) == 0 for one in network.parameters() if one.grad is not None)
    assert filled.named(range(3)) == [f"s:{number} (en)" for number in range(5)]
