"""All figures of a study, from the folder that its runs left."""

import math
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median

from alarms import (
    READ_AT,
    WARM_UP,
    Catch,
    Judged,
    Watch,
    Merit,
    carried,
    catch,
    concordance,
    counting_lost,
    healthy,
    late,
    merit_of,
)
from curves import Trail
from fitting import fitted_signals, sign_of
from labels import BAR, FIRST_STEP, label
from logistic import read_calibration
from measures import Share, auroc
from signals import (
    CHEAP,
    RATE,
    RULES,
    SPECTRAL,
    Signal,
    feature,
    gradient_z,
    largest_logit,
    logged_risk,
    logistic,
    value_at,
)

sys.path.append(str(Path(__file__).resolve().parents[1] / "peers"))
from estimates import percentile  # noqa: E402

RESAMPLES = 1000


@dataclass(frozen=True)
class Settings:
    """What was settled before the runs were looked at."""

    fitted: list[str]  # families that fits see; all others are held out
    horizon: int = 1500
    bar: float = BAR
    threshold: float = 0.5  # of the risk as logged
    calibration: Path | None = None  # one more risk, computed from what was logged


def judge(trails: list[Trail], settings: Settings) -> list[Judged]:
    return [
        Judged(t, label(t.records, settings.horizon, settings.bar, t.gave_up)) for t in trails
    ]


def alert_signal(name: str, severities: set[str]) -> Signal:
    """1 from the first alert on, of the immediate detectors."""

    def series(trail: Trail) -> list[tuple[int, float]]:
        return [
            (a.step, 1.0) for a in trail.alerts if a.severity in severities and a.kind != "risk"
        ]

    return Signal(name, "shipped", series)


@dataclass
class Study:
    settings: Settings
    runs: list[Judged]
    signals: list[Signal] = field(default_factory=list)
    risk: Signal = field(default_factory=logged_risk)
    threshold: float = 0.5

    def watch(self, first: int = WARM_UP) -> Watch:
        return Watch(first, self.settings.horizon)

    def family(self, *names: str) -> list[Judged]:
        return [one for one in self.runs if one.trail.run.family in names]

    def families(self) -> list[str]:
        return list(dict.fromkeys(one.trail.run.family for one in self.runs))

    def fitted(self) -> list[Judged]:
        """As in the pilot, what never learned is to raise an alarm, too."""
        return counting_lost(self.family(*self.settings.fitted))

    def held_out(self) -> list[Judged]:
        """Sizes that no fit has seen: causes at a seen size are not among them."""
        seen = {self._size(one) for one in self.fitted()}
        return [one for one in self.runs if self._size(one) not in seen]

    @staticmethod
    def _size(one: Judged) -> tuple[str, str]:
        keys = one.trail.run.keys
        return keys["model.dim"], keys["model.layers"]

    def merits(self, runs: list[Judged]) -> list[Merit]:
        found = [merit_of(signal, runs, self.watch()) for signal in self.signals]
        return sorted(found, key=lambda m: -m.at_equal.recall.value())

    def as_shipped(self, runs: list[Judged]) -> list[tuple[str, Catch]]:
        """At thresholds that were there before; rules only once the warm-up is over, since a loss
        that has not fallen yet says nothing."""
        signals = [
            (self.risk, self.threshold, FIRST_STEP),
            *[(logistic(name, "rule", model), 0.5, WARM_UP) for name, model in RULES.items()],
            (alert_signal("detectors, warning or worse", {"warning", "critical"}), 1, FIRST_STEP),
            (alert_signal("detectors, critical", {"critical"}), 1, FIRST_STEP),
        ]
        return [
            (s.name, catch(s, late(runs), healthy(runs), threshold, self.watch(first)))
            for s, threshold, first in signals
        ]

    def carried(self, runs: list[Judged]) -> list[tuple[Signal, Catch]]:
        fitted = self.fitted()
        return [(s, carried(s, fitted, runs, self.watch())) for s in self.signals]

    def concordances(self, runs: list[Judged]) -> list[tuple[Signal, float, int]]:
        return [(signal, *concordance(signal, runs)) for signal in self.signals]


def all_signals(study: Study) -> list[Signal]:
    fitted = study.fitted()
    singles = [(name, "cheap") for name in CHEAP] + [(name, "spectral") for name in SPECTRAL]
    return [
        study.risk,
        *[logistic(name, "rule", model) for name, model in RULES.items()],
        *fitted_signals(fitted),
        feature(RATE, "rate"),
        *[feature(name, kind, sign_of(name, fitted)) for name, kind in singles],
        largest_logit(),
        Signal("gradient norm, deviations", "cheap", gradient_z),
    ]


def analyze(trails: list[Trail], settings: Settings) -> Study:
    study = Study(settings, judge(trails, settings), threshold=settings.threshold)
    if settings.calibration:
        model, study.threshold = read_calibration(settings.calibration)
        study.risk = logistic(f"risk of {settings.calibration.name}", "shipped", model)
    study.signals = all_signals(study)
    return study


def difference(a: Signal, b: Signal, runs: list[Judged]) -> tuple[float, float, float]:
    """AUROC at one early step, a's less b's, with a bootstrap interval over runs."""
    pairs = [
        [tuple(value_at(s.series(one.trail), READ_AT) for s in (a, b)) for one in part]
        for part in (late(runs), healthy(runs))
    ]
    broken, sound = ([p for p in part if all(map(math.isfinite, p))] for part in pairs)

    def of(broken: list[tuple], sound: list[tuple]) -> float:
        areas = [auroc([p[i] for p in broken], [p[i] for p in sound]) for i in (0, 1)]
        return areas[0] - areas[1]

    if not broken or not sound:
        return math.nan, math.nan, math.nan
    draw = random.Random(1)
    drawn = sorted(
        of(draw.choices(broken, k=len(broken)), draw.choices(sound, k=len(sound)))
        for _ in range(RESAMPLES)
    )
    return of(broken, sound), percentile(drawn, 0.025), percentile(drawn, 0.975)


@dataclass(frozen=True)
class Cost:
    """Of probes: cheap signals and spectra together."""

    family: str
    step_ms: float
    probe_ms: float  # what a probed step takes longer

    def share(self, every: int = 25) -> float:
        return self.probe_ms / every / self.step_ms


def cost_of(family: str, runs: list[Judged]) -> Cost:
    extra, plain = [], []
    for one in runs:
        probed = {probe.step for probe in one.trail.probes}
        records = one.trail.records[FIRST_STEP:]
        rest = [r.step_s for r in records if r.step not in probed]
        watched = [r.step_s for r in records if r.step in probed]
        if rest and watched:
            plain.append(median(rest))
            extra.append(median(watched) - median(rest))
    return Cost(family, 1e3 * median(plain), 1e3 * median(extra))


@dataclass(frozen=True)
class Rescue:
    """What an action did: runs repeated with it."""

    saved: Share  # of the runs that broke
    taught: Share  # of those that never learned
    broken_by_it: Share  # of the healthy ones
    touched: Share  # healthy runs whose rate it lowered
    cost: list[float]  # relative change of the final loss, of each healthy run


def rescue(study: Study, repeated: list[Judged]) -> Rescue:
    before = {one.trail.run.name: one for one in study.runs}
    pairs = [
        (before[one.trail.run.origin], one) for one in repeated if one.trail.run.origin in before
    ]
    broke = [(a, b) for a, b in pairs if a.label.is_broken()]
    lost = [(a, b) for a, b in pairs if a.label.is_lost()]
    sound = [(a, b) for a, b in pairs if a.label.is_healthy()]
    return Rescue(
        Share(sum(b.label.is_healthy() for _, b in broke), len(broke)),
        Share(sum(b.label.is_healthy() for _, b in lost), len(lost)),
        Share(sum(b.label.is_broken() for _, b in sound), len(sound)),
        Share(sum(was_lowered(a.trail, b.trail) for a, b in sound), len(sound)),
        [b.label.final_loss / a.label.final_loss - 1 for a, b in sound],
    )


def was_lowered(before: Trail, after: Trail) -> bool:
    return any(a.lr > b.lr * 1.001 for a, b in zip(before.records, after.records))


def mean_cost(result: Rescue) -> float:
    return mean(result.cost) if result.cost else math.nan
