"""Logistic regression with a quadratic penalty, by Newton's method."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

FEATURE_VERSION = 2
PENALTY = 1.0  # on the squared weights of standardized features, beside the sum over runs
ITERATIONS = 100
ROUNDING = 1e-12


def sigmoid(score: float) -> float:
    if score >= 0:
        return 1 / (1 + math.exp(-score))
    return math.exp(score) / (1 + math.exp(score))


@dataclass(frozen=True)
class Logistic:
    bias: float
    weights: dict[str, float]

    def score(self, features: dict[str, float]) -> float:
        return self.bias + sum(w * features[name] for name, w in self.weights.items())

    def probability(self, features: dict[str, float]) -> float:
        score = self.score(features)
        return math.nan if math.isnan(score) else sigmoid(score)


@dataclass(frozen=True)
class Example:
    features: dict[str, float]
    breaks: bool
    weight: float = 1.0


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gaussian elimination with pivots; the matrix is positive definite and small."""
    n = len(right)
    rows = [row[:] + [value] for row, value in zip(matrix, right)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(i + 1, n):
            factor = rows[k][i] / rows[i][i]
            rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i])]
    solution = [0.0] * n
    for i in reversed(range(n)):
        known = sum(rows[i][k] * solution[k] for k in range(i + 1, n))
        solution[i] = (rows[i][n] - known) / rows[i][i]
    return solution


def newton(
    inputs: list[list[float]], targets: list[bool], sizes: list[float], penalty: float
) -> list[float]:
    """Weights of inputs that begin with the constant 1, which is not held back."""
    n = len(inputs[0])
    weights = [0.0] * n
    for _ in range(ITERATIONS):
        gradient = [0.0] + [penalty * w for w in weights[1:]]
        hessian = [[penalty * (i == k and i > 0) for k in range(n)] for i in range(n)]
        for x, target, size in zip(inputs, targets, sizes):
            p = sigmoid(sum(w * value for w, value in zip(weights, x)))
            spread = max(size * p * (1 - p), 1e-12)
            for i in range(n):
                gradient[i] += size * (p - target) * x[i]
                for k in range(n):
                    hessian[i][k] += spread * x[i] * x[k]
        step = solve(hessian, gradient)
        # Held back, since far from the optimum Newton's step may overshoot.
        scale = min(1.0, 5.0 / max(1e-30, max(abs(s) for s in step)))
        weights = [w - scale * s for w, s in zip(weights, step)]
        if max(abs(s) for s in step) < 1e-10:
            break
    return weights


def fit(examples: list[Example], names: list[str], penalty: float = PENALTY) -> Logistic:
    """Examples that lack a value of `names` are left out."""
    usable = [e for e in examples if all(math.isfinite(e.features[name]) for name in names)]
    if len({e.breaks for e in usable}) < 2:
        raise ValueError("a fit needs runs that break after step 100, and healthy ones")
    total = sum(e.weight for e in usable)
    means, spreads = {}, {}
    for name in names:
        means[name] = sum(e.weight * e.features[name] for e in usable) / total
        variance = sum(e.weight * (e.features[name] - means[name]) ** 2 for e in usable) / total
        # What never changes but for rounding weighs nothing.
        is_constant = math.sqrt(variance) <= ROUNDING * abs(means[name])
        spreads[name] = 1.0 if is_constant else math.sqrt(variance)
    inputs = [[1.0] + [(e.features[n] - means[n]) / spreads[n] for n in names] for e in usable]
    bias, *slopes = newton(
        inputs, [e.breaks for e in usable], [e.weight for e in usable], penalty
    )
    weights = {name: slope / spreads[name] for name, slope in zip(names, slopes)}
    return Logistic(bias - sum(weights[n] * means[n] for n in names), weights)


@dataclass(frozen=True)
class Coverage:
    """What a calibration speaks about."""

    norm_placement: list[str]
    qk_norm: list[bool]
    dim: list[int]  # from, to
    layers: list[int]


def to_calibration(
    model: Logistic, description: str, horizon: int, threshold: float, covers: Coverage
) -> str:
    """As `ballast train --monitor.calibration` reads it."""
    value = {
        "feature_version": FEATURE_VERSION,
        "description": description,
        "horizon": horizon,
        "threshold": threshold,
        "bias": model.bias,
        "weights": model.weights,
        "covers": vars(covers),
    }
    return json.dumps(value, indent=2) + "\n"


def read_calibration(path: Path) -> tuple[Logistic, float]:
    """And its threshold."""
    value = json.loads(path.read_text())
    if value["feature_version"] != FEATURE_VERSION:
        raise SystemExit(f"{path}: is of feature version {value['feature_version']}, not "
                         f"{FEATURE_VERSION}")
    return Logistic(value["bias"], value["weights"]), value["threshold"]
