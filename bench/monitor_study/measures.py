"""Figures of merit, with how sure they are."""

import math
from dataclasses import dataclass
from statistics import NormalDist


def auroc(positive: list[float], negative: list[float]) -> float:
    """Chance that a positive score is above a negative one, ties half; NaN without either."""
    if not positive or not negative:
        return math.nan
    order = sorted([(score, 1) for score in positive] + [(score, 0) for score in negative])
    rank_sum, at = 0.0, 0
    while at < len(order):
        end = at
        while end < len(order) and order[end][0] == order[at][0]:
            end += 1
        mean_rank = (at + 1 + end) / 2
        rank_sum += mean_rank * sum(is_positive for _, is_positive in order[at:end])
        at = end
    n = len(positive)
    return (rank_sum - n * (n + 1) / 2) / (n * len(negative))


def brier(probabilities: list[float], outcomes: list[bool]) -> float:
    if not probabilities:
        return math.nan
    pairs = zip(probabilities, outcomes, strict=True)
    return sum((p - outcome) ** 2 for p, outcome in pairs) / len(probabilities)


@dataclass(frozen=True)
class Share:
    hits: int
    of: int

    def value(self) -> float:
        return self.hits / self.of if self.of else math.nan

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Wilson's (1927)."""
        if not self.of:
            return math.nan, math.nan
        z = NormalDist().inv_cdf((1 + confidence) / 2)
        p, n = self.value(), self.of
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def text(self) -> str:
        if not self.of:
            return "–"
        low, high = self.interval()
        return f"{self.hits}/{self.of} = {self.value():.2f} [{low:.2f}, {high:.2f}]"


def roc(positive: list[float], negative: list[float]) -> list[tuple[float, float]]:
    """False-alarm rate and recall at every threshold, from none to all."""
    points = [(0.0, 0.0)]
    for threshold in sorted(set(positive + negative), reverse=True):
        false = sum(score >= threshold for score in negative) / max(1, len(negative))
        recall = sum(score >= threshold for score in positive) / max(1, len(positive))
        points.append((false, recall))
    return points
