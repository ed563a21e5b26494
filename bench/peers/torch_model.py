"""The model as a user of PyTorch writes it: fused attention, fused norms, no tricks."""

import torch
from torch import nn
from torch.nn import functional as F

from shapes import NORM_EPSILON, ROPE_BASE, Shape


def rotated(x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    low, high = x.chunk(2, dim=-1)
    return torch.cat((low * cosine - high * sine, high * cosine + low * sine), dim=-1)


class Block(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        dim, ffn = shape.dim, shape.ffn
        self.heads = shape.heads
        self.attention_norm = nn.RMSNorm(dim, eps=NORM_EPSILON)
        self.wq, self.wk, self.wv, self.wo = (nn.Linear(dim, dim, bias=False) for _ in range(4))
        self.ffn_norm = nn.RMSNorm(dim, eps=NORM_EPSILON)
        self.w_gate, self.w_up = (nn.Linear(dim, ffn, bias=False) for _ in range(2))
        self.w_down = nn.Linear(ffn, dim, bias=False)

    def forward(self, x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
        def heads(y):
            return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        h = self.attention_norm(x)
        q, k, v = heads(self.wq(h)), heads(self.wk(h)), heads(self.wv(h))
        cosine, sine = cosine.to(q.dtype), sine.to(q.dtype)
        attended = F.scaled_dot_product_attention(
            rotated(q, cosine, sine), rotated(k, cosine, sine), v, is_causal=True
        )
        x = x + self.wo(attended.transpose(1, 2).flatten(-2))
        h = self.ffn_norm(x)
        return x + self.w_down(F.silu(self.w_gate(h)) * self.w_up(h))


class Transformer(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.head_dim = shape.dim // shape.heads
        self.embedding = nn.Embedding(shape.vocabulary, shape.dim)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.final_norm = nn.RMSNorm(shape.dim, eps=NORM_EPSILON)
        self.head = nn.Linear(shape.dim, shape.vocabulary, bias=False)
        self.rotation: tuple[torch.Tensor, torch.Tensor] | None = None

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        if self.rotation is None:
            half = self.head_dim // 2
            frequency = ROPE_BASE ** (-torch.arange(half) / half)
            angle = torch.arange(ids.shape[1])[:, None] * frequency
            self.rotation = (angle.cos(), angle.sin())
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, *self.rotation)
        return self.head(self.final_norm(x))


def make_model(shape: Shape) -> Transformer:
    """Without memory: no rank ever holds what it need not."""
    with torch.device("meta"):
        return Transformer(shape)


def canonical_name(name: str) -> str:
    """"blocks.3.wq.weight" as ballast calls it: "block.3.wq"."""
    return name.removesuffix(".weight").replace("blocks.", "block.", 1)


def mean_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits.flatten(0, 1).float(), labels.flatten())
