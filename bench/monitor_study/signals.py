"""Scores that a run could be judged by while it runs: a number at each probe, larger for worse."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from curves import NAN, Probe, Trail
from logistic import Logistic

REMEMBERED = 5  # probes whose median is taken, as the monitor does
CHEAP = [
    "attention_growth",
    "residual_growth",
    "update_growth",
    "kurtosis_growth",
    "loss",
    "loss_rise",
    "log_z",
    "gradient_norm",
    "staleness",
    "weight_growth",
    "weight_update",
]
SPECTRAL = ["expanding", "near_unit", "contracting", "radius", "gain", "departure", "nonlinearity"]
RATE = "learning_rate"

# Frozen before the study, from 96 runs of dim 128 and 6 layers, see docs/monitor-study.md.
RULES = {
    "rule A": Logistic(-13.3, {"attention_growth": 1.5}),
    "rule B": Logistic(-15.5, {"attention_growth": 1.0, "residual_growth": 0.65}),
    "rule C": Logistic(-19.7, {"attention_growth": 0.77, "loss": 5.85}),
}

Series = list[tuple[int, float]]  # step, score; only where there is one


@dataclass(frozen=True)
class Signal:
    name: str
    kind: str  # "rule", "cheap", "spectral", "rate", "fit" or "shipped"
    compute: Callable[[Trail], Series]
    is_probability: bool = False
    known: dict[int, tuple[Trail, Series]] = field(default_factory=dict, compare=False)

    def series(self, trail: Trail) -> Series:
        """Computed once a trail, which is kept so that its id stays its own."""
        if id(trail) not in self.known:
            self.known[id(trail)] = (trail, self.compute(trail))
        return self.known[id(trail)][1]


def recent_medians(probes: list[Probe], value: Callable[[Probe], float]) -> Series:
    points = []
    for end in range(1, len(probes) + 1):
        recent = [value(probe) for probe in probes[max(0, end - REMEMBERED) : end]]
        finite = [v for v in recent if math.isfinite(v)]
        if finite:
            points.append((probes[end - 1].step, median(finite)))
    return points


def feature_series(trail: Trail, name: str) -> Series:
    return recent_medians(trail.probes, lambda probe: probe.features.get(name, NAN))


def feature(name: str, kind: str, sign: float = 1.0) -> Signal:
    label = name if sign > 0 else f"−{name}"
    return Signal(label, kind, lambda t: [(s, sign * v) for s, v in feature_series(t, name)])


def recent_features(trail: Trail, names: list[str]) -> dict[int, dict[str, float]]:
    """By step: the medians that a risk is computed from; steps at which all have a value."""
    columns = {name: dict(feature_series(trail, name)) for name in names}
    steps = [p.step for p in trail.probes if all(p.step in column for column in columns.values())]
    return {step: {name: columns[name][step] for name in names} for step in steps}


def logistic(name: str, kind: str, model: Logistic) -> Signal:
    def series(trail: Trail) -> Series:
        features = recent_features(trail, list(model.weights))
        return [(step, model.probability(values)) for step, values in features.items()]

    return Signal(name, kind, series, is_probability=True)


def logged_risk() -> Signal:
    def series(trail: Trail) -> Series:
        return [(p.step, p.risk) for p in trail.probes if math.isfinite(p.risk)]

    return Signal("risk as logged", "shipped", series, is_probability=True)


def largest_logit() -> Signal:
    return Signal(
        "largest attention logit",
        "cheap",
        lambda t: recent_medians(t.probes, lambda probe: max(probe.attention_logit)),
    )


def gradient_z(trail: Trail, decay: float = 0.97) -> Series:
    """Deviations of the gradient norm from its own moving average (ZClip, arXiv:2504.02507): the
    largest since the probe before."""
    probed = {probe.step for probe in trail.probes}
    mean = variance = worst = 0.0
    points: Series = []
    for i, record in enumerate(trail.records):
        if not math.isfinite(record.grad_norm):
            continue
        off = record.grad_norm - mean
        if i > 10 and variance > 0:
            worst = max(worst, off / math.sqrt(variance))
        weight = max(1 - decay, 1 / (i + 1))
        mean += weight * off
        variance = (1 - weight) * (variance + weight * off * off)
        if record.step in probed:
            points.append((record.step, worst))
            worst = 0.0
    return points


def value_at(series: Series, step: int) -> float:
    """The newest at or before a step."""
    return next((score for at, score in reversed(series) if at <= step), NAN)
