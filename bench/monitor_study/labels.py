"""How a run ended, from its loss alone.

diverged       loss or gradient norm not finite, loss above 50 or gradient norm above 500 (the
               label of arXiv:2602.22988); gradients that overflow while the loss is scaled do
               not count, since the scaler answers them
drift          the smoothed loss rises 0.3 nats above its lowest and stays there for 20 steps
never learned  none of these, but loss above a bar at the horizon
spike          the loss rises 0.5 nats above the lowest smoothed one and is back within 20 steps
healthy        none of these
An event is searched from step 20 up to the horizon; its step is where the departure begins.
`ballast monitor calibrate` has the same definitions (src/calibrate/outcome.hpp).
"""

import math
from dataclasses import dataclass

from curves import Record

FIRST_STEP = 20
SMOOTHED = 10  # steps of the trailing mean
RISE = 0.3  # nats
STAYS = 20  # steps
SPIKE = 0.5  # nats
BAR = 2.2  # nats a byte: what counting pairs of letters comes to
LOSS_LIMIT, GRADIENT_LIMIT = 50.0, 500.0

BROKEN = ("diverged", "drift")
OUTCOMES = (*BROKEN, "spike", "never learned", "healthy")


@dataclass(frozen=True)
class Label:
    outcome: str
    event: int | None = None  # step
    final_loss: float = float("nan")  # mean of the last 50 steps

    def is_broken(self) -> bool:
        return self.outcome in BROKEN

    def is_lost(self) -> bool:
        return self.outcome == "never learned"

    def is_healthy(self) -> bool:
        return self.outcome == "healthy"


def has_diverged(record: Record) -> bool:
    is_overflow = record.loss_scale != 1 and not math.isfinite(record.grad_norm)
    # NaN is below no limit.
    return not (record.loss <= LOSS_LIMIT and (is_overflow or record.grad_norm <= GRADIENT_LIMIT))


def smoothed(losses: list[float]) -> list[float]:
    """Mean over the last SMOOTHED steps, of fewer at the start."""
    means = []
    for end in range(1, len(losses) + 1):
        window = losses[max(0, end - SMOOTHED) : end]
        means.append(sum(window) / len(window))
    return means


def running_minimum(values: list[float]) -> list[float]:
    lowest, minima = float("inf"), []
    for value in values:
        lowest = min(lowest, value)
        minima.append(lowest)
    return minima


def first_drift(steps: list[int], means: list[float], minima: list[float]) -> int | None:
    begin = None
    for step, mean, lowest in zip(steps, means, minima):
        if step < FIRST_STEP or mean < lowest + RISE:
            begin = None
            continue
        begin = begin or step
        if step - begin + 1 >= STAYS:
            return begin
    return None


def first_spike(steps: list[int], losses: list[float], minima: list[float]) -> int | None:
    for step, loss, lowest in zip(steps, losses, minima):
        if step >= FIRST_STEP and loss >= lowest + SPIKE:
            return step
    return None


def label(records: list[Record], horizon: int, bar: float = BAR, gave_up: bool = False) -> Label:
    seen = [record for record in records if record.step <= horizon]
    finite = []
    diverged = None
    for record in seen:
        if has_diverged(record):
            diverged = max(record.step, FIRST_STEP)
            break
        finite.append(record)
    if diverged is None and gave_up and len(seen) == len(records):
        diverged = records[-1].step
    steps = [record.step for record in finite]
    losses = [record.loss for record in finite]
    means = smoothed(losses)
    minima = running_minimum(means)
    final = sum(losses[-50:]) / max(1, len(losses[-50:]))
    drift = first_drift(steps, means, minima)
    if diverged is not None:
        # What drifts first and overflows later broke when it drifted.
        return Label("diverged", min(drift or diverged, diverged), final)
    if drift is not None:
        return Label("drift", drift, final)
    if final > bar:
        return Label("never learned", None, final)
    spike = first_spike(steps, losses, minima)
    return Label("healthy" if spike is None else "spike", spike, final)
