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
    if model["gain_offset"]:
        gain = gain + 1
    if model["norm"] == "layer":
        return F.layer_norm(x, gain.shape, gain, None, model["norm_epsilon"])
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + model["norm_epsilon"]) * gain


def rotate_half(x):
    low, high = x.chunk(2, dim=-1)
    return torch.cat((-high, low), dim=-1)


def frequencies(rope, head_dim):
    """The angle a position of each pair, and what cosines and sines are multiplied by."""
    plain = 1.0 / rope["base"] ** (torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    slow = plain / rope["factor"]
    context = rope["original_context"]
    if rope["scaling"] == "linear":
        return slow, 1.0
    if rope["scaling"] == "llama3":
        turns = context * plain / (2 * math.pi)
        low, high = rope["low_frequency"], rope["high_frequency"]
        share = ((turns - low) / (high - low)).clamp(0, 1)
        return share * plain + (1 - share) * slow, 1.0
    if rope["scaling"] == "yarn":
        turned = lambda turns: (
            head_dim * math.log(context / (turns * 2 * math.pi)) / (2 * math.log(rope["base"]))
        )
        first, last = turned(rope["beta_fast"]), turned(rope["beta_slow"])
        if rope["truncate"]:
            first, last = math.floor(first), math.ceil(last)
        first, last = max(first, 0), min(last, head_dim - 1)
        if first == last:
            last += 0.001
        pairs = torch.arange(head_dim // 2, dtype=torch.float64)
        share = ((pairs - first) / (last - first)).clamp(0, 1)
        magnitude = rope["magnitude"] or 0.1 * math.log(rope["factor"]) + 1
        return share * slow + (1 - share) * plain, magnitude
    return plain, 1.0


def rotated(model, x, positions):
    """x: [sequences, heads, seq_len, head_dim]; positions: [sequences, seq_len]."""
    turns, magnitude = frequencies(model["rope"], x.shape[-1])
    angles = positions[:, None, :, None].double() * turns
    angles = torch.cat((angles, angles), dim=-1)
    return magnitude * (x * angles.cos() + rotate_half(x) * angles.sin())


def linear(p, weight, x):
    """With the bias beside it, where there is one: "b_up" of "w_up"."""
    block, name = weight.rsplit(".", 1)
    return F.linear(x, p[weight], p.get(f"{block}.b{name[1:]}"))


def slopes(heads):
    """ALiBi's, for a power of two of heads and in between."""
    below = 2 ** math.floor(math.log2(heads))
    some = [2 ** (-8 * (i + 1) / below) for i in range(below)]
    more = [2 ** (-4 * (i + 1) / below) for i in range(0, 2 * (heads - below), 2)]
    return torch.tensor(some + more, dtype=torch.float64)


def visible(model, layer, batch):
    """[sequences, queries, keys]: which tokens a token sees."""
    seq_len = batch["ids"].shape[1]
    seen = torch.ones(seq_len, seq_len, dtype=torch.bool).tril()[None]
    sees_all = layer < model["window_first"] or (
        model["window_all_every"] and (layer + 1) % model["window_all_every"] == 0
    )
    if model["window"] and not sees_all:
        seen = seen & torch.ones(seq_len, seq_len, dtype=torch.bool).triu(1 - model["window"])
    if model["document_attention"]:
        segments = batch["segments"]
        seen = seen & (segments[:, :, None] == segments[:, None, :])
    return seen


def capped(logits, cap):
    return cap * torch.tanh(logits / cap) if cap else logits


def attention(model, p, layer, x, batch):
    block = f"block.{layer}."
    sequences, seq_len, _ = x.shape
    heads, kv_heads, head_dim = model["heads"], model["kv_heads"], model["head_dim"]

    def project(weight, count):
        y = linear(p, block + weight, x)
        return y.view(sequences, seq_len, count, head_dim).transpose(1, 2)

    q, k, v = project("wq", heads), project("wk", kv_heads), project("wv", kv_heads)
    if model["qk_norm"]:
        q = norm(model, q, p[block + "q_norm"])
        k = norm(model, k, p[block + "k_norm"])
    rotates = not model["nope_every"] or (layer + 1) % model["nope_every"]
    if model["position"] == "rope" and rotates:
        q, k = rotated(model, q, batch["positions"]), rotated(model, k, batch["positions"])
    k = k.repeat_interleave(heads // kv_heads, dim=1)
    v = v.repeat_interleave(heads // kv_heads, dim=1)

    logits = q @ k.transpose(2, 3) * (model["attention_scale"] or 1 / math.sqrt(head_dim))
    logits = capped(logits, model["attention_softcap"])
    if model["position"] == "alibi":
        places = torch.arange(seq_len, dtype=torch.float64)
        logits = logits + slopes(heads)[:, None, None] * (places[None, :] - places[:, None])
    seen = visible(model, layer, batch)[:, None]
    probabilities = logits.masked_fill(~seen, -math.inf).softmax(-1)
    out = (probabilities @ v).transpose(1, 2).reshape(sequences, seq_len, heads * head_dim)
    return linear(p, block + "wo", out)


ACTIVATIONS = {
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "relu2": lambda x: F.relu(x) ** 2,
}
GATED = {"swiglu": "silu", "geglu": "gelu", "geglu_tanh": "gelu_tanh", "reglu": "relu"}


def ffn(model, p, block, x):
    up = linear(p, block + "w_up", x)
    kind = model["activation"]
    if kind in GATED:
        hidden = ACTIVATIONS[GATED[kind]](linear(p, block + "w_gate", x)) * up
    else:
        hidden = ACTIVATIONS[kind](up)
    return linear(p, block + "w_down", hidden)


def embed(model, p, batch):
    h = F.embedding(batch["ids"], p["embedding"])
    dim = h.shape[-1]
    if model["scale_embedding"]:
        h = h * math.sqrt(dim)
    if model["position"] == "learned":
        h = h + F.embedding(batch["positions"], p["positions"])
    if model["position"] == "sinusoidal":
        angles = batch["positions"][..., None] / 10000.0 ** (
            torch.arange(0, dim, 2, dtype=torch.float64) / dim
        )
        h = h + torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)
    return h


def residual(model, p, name, h, branch):
    gain, output_gain = p.get(name + "_norm"), p.get(name + "_output_norm")
    match model["norm_placement"]:
        case "pre":
            return h + branch(norm(model, h, gain))
        case "post":
            return norm(model, h + branch(h), gain)
        case "output":
            return h + norm(model, branch(h), output_gain)
        case "both":
            return h + norm(model, branch(norm(model, h, gain)), output_gain)
    return h + branch(h)


def mean_loss(model, p, batch):
    h = embed(model, p, batch)
    for layer in range(model["layers"]):
        block = f"block.{layer}."
        before = h
        h = residual(model, p, block + "attention", h, lambda x: attention(model, p, layer, x, batch))
        if model["parallel_sublayers"]:
            h = h + residual(model, p, block + "ffn", before, lambda x: ffn(model, p, block, x)) - before
        else:
            h = residual(model, p, block + "ffn", h, lambda x: ffn(model, p, block, x))
    if "final_norm" in p:
        h = norm(model, h, p["final_norm"])
    logits = F.linear(h, p["embedding" if model["tie_embeddings"] else "head"])
    logits = capped(logits, model["logit_softcap"])

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
