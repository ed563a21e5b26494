"""Medians and how sure they are. Plain Python: the tests run it without anything else."""

import random
import statistics
from dataclasses import dataclass

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    value: float
    low: float
    high: float
    blocks: int

    def text(self, digits: int = 2) -> str:
        if self.blocks == 1:
            return f"{self.value:.{digits}f} (one block)"
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def percentile(ordered: list[float], share: float) -> float:
    """Linear between the neighbors."""
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def ratio(numerators: list[float], denominators: list[float], confidence: float = 0.95) -> Estimate:
    """The median of the blocks' ratios, with a bootstrap interval over blocks (Efron 1979).

    A block's two figures are from the same minutes and stay together: what slows the machine down
    cancels in their ratio.
    """
    if not numerators or len(numerators) != len(denominators):
        raise ValueError("a ratio needs blocks, each with both figures")
    ratios = [a / b for a, b in zip(numerators, denominators)]
    draw = random.Random(1)
    medians = sorted(
        statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES)
    )
    tail = (1.0 - confidence) / 2.0
    low, high = percentile(medians, tail), percentile(medians, 1.0 - tail)
    return Estimate(statistics.median(ratios), low, high, len(ratios))
