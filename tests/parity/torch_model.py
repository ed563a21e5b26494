"""The model in plain PyTorch and float64: an oracle that shares nothing with the C++ code.

Usage: torch_model.py FOLDER...

A FOLDER holds case.json (model, batch and optimizer settings, the tensors with their shapes) and
little-endian files: p.NAME.bin (float32 parameters), ids.bin, labels.bin, segments.bin,
positions.bin (int32, a token each) and weights.bin (float32; only when the case has weights).
Written beside them, in float64: loss.bin (sum of weight * nll / sum of weight, over labels that
count), g.NAME.bin (its gradients) and w.NAME.bin (parameters after the AdamW steps).
"""

import json
import math
import pathlib
import sys

import numpy
import torch
import torch.nn.functional as F

IGNORE_LABEL = -1


def read(path, dtype):
    return torch.from_numpy(numpy.fromfile(path, dtype=dtype))


def write(path, tensor):
    tensor.detach().numpy().astype("<f8").tofile(path)


def norm(model, x, gain):
    if model["norm"] == "layer":
        return F.layer_norm(x, gain.shape, gain, None, model["norm_epsilon"])
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + model["norm_epsilon"]) * gain


def rotate_half(x):
    low, high = x.chunk(2, dim=-1)
    return torch.cat((-high, low), dim=-1)


def rope(model, x, positions):
    """x: [sequences, heads, seq_len, head_dim]; positions: [sequences, seq_len]."""
    head_dim = x.shape[-1]
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim
    frequencies = 1.0 / model["rope_base"] ** exponents
    angles = positions[:, None, :, None].double() * frequencies
    angles = torch.cat((angles, angles), dim=-1)
    return x * angles.cos() + rotate_half(x) * angles.sin()


def attention(model, p, block, x, batch):
    sequences, seq_len, dim = x.shape
    heads, kv_heads = model["heads"], model["kv_heads"]

    def project(weight, count):
        y = F.linear(x, p[block + weight])
        return y.view(sequences, seq_len, count, dim // heads).transpose(1, 2)

    q, k, v = project("wq", heads), project("wk", kv_heads), project("wv", kv_heads)
    if model["qk_norm"]:
        q = norm(model, q, p[block + "q_norm"])
        k = norm(model, k, p[block + "k_norm"])
    q, k = rope(model, q, batch["positions"]), rope(model, k, batch["positions"])
    k = k.repeat_interleave(heads // kv_heads, dim=1)
    v = v.repeat_interleave(heads // kv_heads, dim=1)

    visible = torch.ones(seq_len, seq_len, dtype=torch.bool).tril()[None]
    if model["document_attention"]:
        segments = batch["segments"]
        visible = visible & (segments[:, :, None] == segments[:, None, :])
    logits = q @ k.transpose(2, 3) / math.sqrt(dim // heads)
    probabilities = logits.masked_fill(~visible[:, None], -math.inf).softmax(-1)
    out = (probabilities @ v).transpose(1, 2).reshape(sequences, seq_len, dim)
    return F.linear(out, p[block + "wo"])


def ffn(p, block, x):
    gate = F.silu(F.linear(x, p[block + "w_gate"]))
    return F.linear(gate * F.linear(x, p[block + "w_up"]), p[block + "w_down"])


def residual(model, gain, h, branch):
    if model["norm_placement"] == "pre":
        return h + branch(norm(model, h, gain))
    if model["norm_placement"] == "post":
        return norm(model, h + branch(h), gain)
    return h + branch(h)


def mean_loss(model, p, batch):
    h = F.embedding(batch["ids"], p["embedding"])
    for layer in range(model["layers"]):
        block = f"block.{layer}."
        attention_gain, ffn_gain = p.get(block + "attention_norm"), p.get(block + "ffn_norm")
        h = residual(model, attention_gain, h, lambda x: attention(model, p, block, x, batch))
        h = residual(model, ffn_gain, h, lambda x: ffn(p, block, x))
    if model["norm_placement"] == "pre":
        h = norm(model, h, p["final_norm"])
    logits = F.linear(h, p["embedding" if model["tie_embeddings"] else "head"])

    labels = batch["labels"].flatten()
    nll = F.cross_entropy(logits.flatten(0, 1), labels, ignore_index=IGNORE_LABEL, reduction="none")
    weights = batch["weights"].flatten() * (labels != IGNORE_LABEL)
    return (weights * nll).sum() / weights.sum()


def adamw(parameters, settings):
    groups = [
        {"params": [p for p in parameters.values() if p.dim() > 1]},
        {"params": [p for p in parameters.values() if p.dim() == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=settings["lr"],
        betas=(settings["beta1"], settings["beta2"]),
        eps=settings["epsilon"],
        weight_decay=settings["weight_decay"],
    )


def read_batch(folder, case):
    shape = (case["sequences"], case["seq_len"])
    names = ("ids", "labels", "segments", "positions")
    batch = {name: read(folder / f"{name}.bin", "<i4").long().view(shape) for name in names}
    batch["weights"] = torch.ones(shape, dtype=torch.float64)
    if case["weights"]:
        batch["weights"] = read(folder / "weights.bin", "<f4").double().view(shape)
    return batch


def run(folder):
    case = json.loads((folder / "case.json").read_text())
    batch = read_batch(folder, case)
    parameters = {
        name: read(folder / f"p.{name}.bin", "<f4").double().view(shape).requires_grad_()
        for name, shape in case["tensors"].items()
    }
    settings = case["optimizer"]
    optimizer = adamw(parameters, settings)
    for step in range(settings["steps"]):
        optimizer.zero_grad()
        loss = mean_loss(case["model"], parameters, batch)
        loss.backward()
        if step == 0:
            write(folder / "loss.bin", loss)
            for name, parameter in parameters.items():
                write(folder / f"g.{name}.bin", parameter.grad)
        if settings["clip"] > 0:
            torch.nn.utils.clip_grad_norm_(parameters.values(), settings["clip"])
        optimizer.step()
    for name, parameter in parameters.items():
        write(folder / f"w.{name}.bin", parameter)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for argument in sys.argv[1:]:
        run(pathlib.Path(argument))
