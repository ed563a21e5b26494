#!/usr/bin/env python3
"""One rank of a peer's training: worker.py REQUEST.json, with RANK and WORLD_SIZE set.

Rank 0 writes log.jsonl beside the request, one record a step with ballast's names.
"""

import json
import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

sys.path += [str(Path(__file__).resolve().parents[1] / "memory")]
from draw import Windows, weights_by_name  # noqa: E402
from host_memory import proportional_set_size  # noqa: E402
from points import Point  # noqa: E402
from shapes import OPTIMIZER, Case  # noqa: E402
from torch_model import Transformer, canonical_name, make_model, mean_loss  # noqa: E402


class CommunicationClock:
    """Seconds that this thread waits for collectives: what is not hidden, slower ranks included.

    DDP waits inside its C++ reducer, which this does not see.
    """

    def __init__(self):
        self.seconds = 0.0
        wait = dist.Work.wait

        def timed_wait(work, *arguments, **named):
            start = time.perf_counter()
            try:
                return wait(work, *arguments, **named)
            finally:
                self.seconds += time.perf_counter() - start

        dist.Work.wait = timed_wait

    def take(self) -> float:
        seconds, self.seconds = self.seconds, 0.0
        return seconds


def load_weights(model: nn.Module, case: Case, path: Path) -> None:
    """Each rank copies what it holds: of a sharded tensor, its chunk of the rows."""
    weights = weights_by_name(case.shape, path)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            whole = torch.from_numpy(weights[canonical_name(name)])
            if hasattr(parameter, "to_local"):
                own = parameter.to_local()
                chunks = whole.chunk(dist.get_world_size())
                if own.numel() > 0:
                    own.copy_(chunks[dist.get_rank()])
            else:
                parameter.copy_(whole)


def compile_parts(model: Transformer):
    for block in model.blocks:
        block.compile()
    return torch.compile(mean_loss)


def shard(model: Transformer, point: Point, precision: str) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    mesh = init_device_mesh("cpu", (point.ranks,))
    policy = MixedPrecisionPolicy()
    if precision == "bf16":
        policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    blocks = list(model.blocks)
    for block in blocks:
        fully_shard(block, mesh=mesh, mp_policy=policy, reshard_after_forward=point.reshard)
    fully_shard(model, mesh=mesh, mp_policy=policy)
    if point.async_op:
        model._set_unshard_async_op(True)
    if point.prefetch == 0:
        return
    model.set_modules_to_forward_prefetch(blocks[: point.prefetch])
    model.set_modules_to_backward_prefetch(blocks[-point.prefetch :][::-1])
    for i, block in enumerate(blocks):
        block.set_modules_to_forward_prefetch(blocks[i + 1 : i + 1 + point.prefetch])
        block.set_modules_to_backward_prefetch(blocks[max(0, i - point.prefetch) : i][::-1])


def parameter_groups(model: nn.Module) -> list[dict]:
    """Norms do not decay."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    gains = [p for p in model.parameters() if p.dim() == 1]
    return [
        {"params": matrices, "weight_decay": OPTIMIZER["weight_decay"]},
        {"params": gains, "weight_decay": 0.0},
    ]


def make_optimizer(model: nn.Module, point: Point) -> torch.optim.Optimizer:
    settings = {
        "lr": OPTIMIZER["lr"],
        "betas": (OPTIMIZER["beta1"], OPTIMIZER["beta2"]),
        "eps": OPTIMIZER["epsilon"],
    }
    if point.fused:
        settings["fused"] = True
    if point.zero1:
        from torch.distributed.optim import ZeroRedundancyOptimizer

        return ZeroRedundancyOptimizer(parameter_groups(model), torch.optim.AdamW, **settings)
    return torch.optim.AdamW(parameter_groups(model), **settings)


class Training:
    """FSDP2 or DDP: forward, backward, clip, update."""

    def __init__(self, case: Case, point: Point, weights: Path):
        model = make_model(case.shape)
        self.loss = compile_parts(model) if point.compiled else mean_loss
        sharded = point.system == "fsdp2"
        if sharded:
            shard(model, point, case.precision)
        model.to_empty(device="cpu")
        load_weights(model, case, weights)
        self.model = model if sharded else nn.parallel.DistributedDataParallel(model)
        self.autocast = not sharded and case.precision == "bf16"
        self.optimizer = make_optimizer(self.model, point)

    def step(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16) if self.autocast else nullcontext():
            loss = self.loss(self.model(inputs), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), OPTIMIZER["clip"])
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()


def make_training(case: Case, point: Point, weights: Path):
    if point.system == "deepspeed":
        from deepspeed_training import DeepSpeedTraining

        return DeepSpeedTraining(case, point, weights)
    return Training(case, point, weights)


def batches(case: Case, dataset: Path, steps: int):
    rank, ranks = dist.get_rank(), dist.get_world_size()
    stored = np.load(dataset)
    windows = Windows(stored["tokens"], stored["segments"], case.seq_len)
    own = case.sequences // ranks
    for step in range(steps):
        batch = torch.from_numpy(windows.batch(step * case.sequences + rank * own, own))
        yield batch[:, :-1].contiguous(), batch[:, 1:].contiguous()


def work(request: dict, folder: Path) -> None:
    case, point = Case(**request["case"]), Point(**request["point"])
    torch.set_num_threads(point.threads)
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/rendezvous",
        rank=int(os.environ["RANK"]),
        world_size=int(os.environ["WORLD_SIZE"]),
    )
    empty = torch.tensor([proportional_set_size("self")], dtype=torch.int64)
    dist.all_reduce(empty)
    training = make_training(case, point, Path(request["weights"]))
    drawn = list(batches(case, Path(request["dataset"]), request["steps"]))
    clock = CommunicationClock()
    with (folder / "log.jsonl").open("w") if dist.get_rank() == 0 else nullcontext() as log:
        dist.barrier()
        clock.take()
        before = time.perf_counter()
        for step, (inputs, labels) in enumerate(drawn, 1):
            loss = training.step(inputs, labels)
            dist.all_reduce(loss)
            mean = loss.item() / dist.get_world_size()
            now = time.perf_counter()
            if log:
                record = {
                    "step": step,
                    "loss": mean,
                    "tokens_per_s": case.step_tokens / (now - before),
                    "step_s": now - before,
                    "comm_exposed_s": clock.take(),
                    "pss_before_model": empty.item(),
                }
                print(json.dumps(record), file=log, flush=True)
            before = now
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    path = Path(sys.argv[1])
    work(json.loads(path.read_text()), path.parent)
