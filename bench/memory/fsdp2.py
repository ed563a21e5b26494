#!/usr/bin/env python3
"""The same measurement as host_memory.py for PyTorch FSDP2 on gloo, with the same model.

usage: fsdp2.py [--ranks N] [--steps 3]

Needs torch 2.4 or newer, best in a virtual environment of its own; it takes no part in the tests.
Prints what all ranks take together (proportional set size, shared pages once) after the last step,
and what they took before there was a model: Python, torch, gloo.
"""
import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

DIM, LAYERS, HEADS, FFN, VOCABULARY, SEQ_LEN = 768, 10, 12, 2048, 16384, 128
MIB = 1 << 20


def start_ranks(ranks, steps):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone",
               f"--nproc-per-node={ranks}", __file__, "--worker", "--steps", str(steps)]
    sys.exit(subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False).returncode)


def proportional_set_size():
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.M)[1]) * 1024


def host_memory():
    import torch
    import torch.distributed as dist
    dist.barrier()
    own = torch.tensor([proportional_set_size()], dtype=torch.int64)
    dist.all_reduce(own)
    return own.item()


def make_model():
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention_norm = nn.RMSNorm(DIM, eps=1e-5)
            self.query, self.key, self.value, self.output = (
                nn.Linear(DIM, DIM, bias=False) for _ in range(4))
            self.ffn_norm = nn.RMSNorm(DIM, eps=1e-5)
            self.gate, self.up = (nn.Linear(DIM, FFN, bias=False) for _ in range(2))
            self.down = nn.Linear(FFN, DIM, bias=False)

        def forward(self, x, cosine, sine):
            def heads(y):
                return y.unflatten(-1, (HEADS, -1)).transpose(1, 2)

            def rotated(y):
                low, high = y.chunk(2, dim=-1)
                return torch.cat((low * cosine - high * sine, high * cosine + low * sine), dim=-1)

            h = self.attention_norm(x)
            attended = F.scaled_dot_product_attention(
                rotated(heads(self.query(h))), rotated(heads(self.key(h))), heads(self.value(h)),
                is_causal=True)
            x = x + self.output(attended.transpose(1, 2).flatten(-2))
            h = self.ffn_norm(x)
            return x + self.down(F.silu(self.gate(h)) * self.up(h))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, DIM)
            self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
            self.norm = nn.RMSNorm(DIM, eps=1e-5)
            self.head = nn.Linear(DIM, VOCABULARY, bias=False)

        def forward(self, ids):
            half = DIM // HEADS // 2
            frequency = 10000.0 ** (-torch.arange(half) / half)
            angle = torch.arange(ids.shape[1])[:, None] * frequency
            x = self.embedding(ids)
            for block in self.blocks:
                x = block(x, angle.cos(), angle.sin())
            return self.head(self.norm(x))

    with torch.device("meta"):
        return Model()


def shard(model):
    """Each block is a unit, the rest another, as in ballast; no rank holds the whole model."""
    import torch
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    try:
        from torch.distributed.fsdp import fully_shard
    except ImportError:  # before torch 2.6
        from torch.distributed._composable.fsdp import fully_shard
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    for block in model.blocks:
        fully_shard(block, mesh=mesh, reshard_after_forward=True)
    fully_shard(model, mesh=mesh, reshard_after_forward=True)
    model.to_empty(device="cpu")
    with torch.no_grad():
        for parameter in model.parameters():
            own = parameter.to_local()
            if parameter.dim() > 1:
                own.normal_(std=0.02)
            else:
                own.fill_(1.0)


def work(steps):
    import torch
    import torch.distributed as dist
    from torch.nn import functional as F
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    torch.manual_seed(dist.get_rank())
    before = host_memory()
    model = make_model()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    shard(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1)
    for _ in range(steps):
        ids = torch.randint(VOCABULARY, (1, SEQ_LEN + 1))
        loss = F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    after = host_memory()
    if dist.get_rank() == 0:
        print(f"torch {torch.__version__}, FSDP2 on gloo, {parameters:,} parameters, "
              f"{dist.get_world_size()} rank(s): {after / MIB:.1f} MiB on the host after {steps} "
              f"steps, {before / MIB:.1f} MiB of it before there was a model")
    dist.destroy_process_group()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--ranks", type=int, default=4)
    arguments.add_argument("--steps", type=int, default=3)
    arguments.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.worker:
        work(given.steps)
    else:
        start_ranks(given.ranks, given.steps)


if __name__ == "__main__":
    main()
