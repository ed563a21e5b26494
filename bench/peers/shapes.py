"""The models, and how a step is filled; what ballast and its peers must agree on."""

from dataclasses import dataclass

SEED = 1
OPTIMIZER = {
    "lr": 1e-3,
    "beta1": 0.9,
    "beta2": 0.95,
    "epsilon": 1e-8,
    "weight_decay": 0.1,
    "clip": 1.0,
}
INIT_STD = 0.02
NORM_EPSILON = 1e-5
ROPE_BASE = 10000.0


@dataclass(frozen=True)
class Tensor:
    name: str
    shape: tuple[int, ...]
    std: float | None = None  # None: a gain, all ones

    @property
    def numel(self) -> int:
        size = 1
        for extent in self.shape:
            size *= extent
        return size


@dataclass(frozen=True)
class Shape:
    name: str
    dim: int
    layers: int
    heads: int
    ffn: int
    vocabulary: int
    seq_len: int

    def tensors(self) -> list[Tensor]:
        """In ballast's canonical order, which numbers the streams of initial values."""
        table = [
            Tensor("embedding", (self.vocabulary, self.dim), INIT_STD),
            Tensor("final_norm", (self.dim,)),
            Tensor("head", (self.vocabulary, self.dim), INIT_STD),
        ]
        square, wide, tall = (self.dim, self.dim), (self.ffn, self.dim), (self.dim, self.ffn)
        residual_std = INIT_STD / (2.0 * self.layers) ** 0.5
        for layer in range(self.layers):
            block = f"block.{layer}."
            table += [
                Tensor(block + "attention_norm", (self.dim,)),
                Tensor(block + "wq", square, INIT_STD),
                Tensor(block + "wk", square, INIT_STD),
                Tensor(block + "wv", square, INIT_STD),
                Tensor(block + "wo", square, residual_std),
                Tensor(block + "ffn_norm", (self.dim,)),
                Tensor(block + "w_gate", wide, INIT_STD),
                Tensor(block + "w_up", wide, INIT_STD),
                Tensor(block + "w_down", tall, residual_std),
            ]
        return table

    def parameters(self) -> int:
        return sum(tensor.numel for tensor in self.tensors())

    def flop_per_token(self, seq_len: int) -> float:
        """Forward and backward: matrix products, and causal attention counted at half."""
        block = 4 * self.dim * self.dim + 3 * self.dim * self.ffn
        products = self.layers * block + self.vocabulary * self.dim
        return 6.0 * products + 6.0 * self.layers * seq_len * self.dim


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("bench", dim=512, layers=8, heads=8, ffn=1376, vocabulary=4096, seq_len=256),
        Shape("134m", dim=768, layers=12, heads=12, ffn=2048, vocabulary=32000, seq_len=1024),
        # That of bench/memory/host_memory.py.
        Shape("100m", dim=768, layers=10, heads=12, ffn=2048, vocabulary=16384, seq_len=128),
        # For a look at whether everything works; its figures mean nothing.
        Shape("tiny", dim=64, layers=2, heads=2, ffn=176, vocabulary=4096, seq_len=64),
    )
}


@dataclass(frozen=True)
class Case:
    """One line of the table: a model in a precision, some tokens a rank, `ranks` of ballast.

    Every peer point takes the same tokens a step, spread over as many ranks as it has.
    """

    model: str
    precision: str
    tokens: int
    ranks: int

    @property
    def shape(self) -> Shape:
        return SHAPES[self.model]

    @property
    def seq_len(self) -> int:
        return min(self.shape.seq_len, self.tokens)

    @property
    def sequences(self) -> int:
        """A step's, over all ranks."""
        return self.tokens // self.seq_len * self.ranks

    @property
    def step_tokens(self) -> int:
        return self.sequences * self.seq_len

    def label(self) -> str:
        return f"{self.model} {self.precision}, {self.tokens} tokens a rank, {self.ranks} ranks"
