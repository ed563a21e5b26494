"""From scores to alarms: thresholds at equal false alarms, what is caught and how early."""

import math
from dataclasses import dataclass, replace
from statistics import quantiles

from curves import Trail
from labels import Label
from measures import Share, auroc, brier
from signals import Series, Signal, value_at

WARM_UP = 100  # steps before which scores other than the shipped ones do not alarm
READ_AT = 200  # step at which scores are ranked; earlier events are counted apart
FALSE_ALARMS = 0.05  # of healthy runs


@dataclass(frozen=True)
class Judged:
    """A run with its outcome."""

    trail: Trail
    label: Label
    counts_lost: bool = False  # to never learn is to break, too, with no step that it happens at

    def is_bad(self) -> bool:
        return self.label.is_broken() or (self.counts_lost and self.label.is_lost())

    def breaks_late(self) -> bool:
        return self.is_bad() and (self.label.event is None or self.label.event > READ_AT)

    def breaks_early(self) -> bool:
        return self.label.is_broken() and self.label.event <= READ_AT


@dataclass(frozen=True)
class Watch:
    """The steps whose scores may raise an alarm."""

    first: int
    last: int


def in_time(series: Series, label: Label, watch: Watch) -> Series:
    """Scores that could still warn: within the watch, and before the event."""
    end = watch.last if label.event is None else min(watch.last, label.event - 1)
    return [(step, score) for step, score in series if watch.first <= step <= end]


def first_alarm(series: Series, threshold: float) -> int | None:
    return next((step for step, score in series if score >= threshold), None)


def peak(series: Series) -> float:
    return max((score for _, score in series), default=-math.inf)


def threshold_at(healthy_peaks: list[float], false_alarms: float = FALSE_ALARMS) -> float:
    """The lowest at which no larger share of healthy runs ever alarms."""
    if not healthy_peaks:
        return math.inf
    allowed = int(false_alarms * len(healthy_peaks))
    return math.nextafter(sorted(healthy_peaks, reverse=True)[allowed], math.inf)


@dataclass(frozen=True)
class Catch:
    """What a signal at a threshold does on a set of runs."""

    threshold: float
    recall: Share
    false: Share
    leads: list[int]  # steps between alarm and event, of those caught that have one

    def lead_text(self) -> str:
        if not self.leads:
            return "–"
        if len(self.leads) == 1:
            return str(self.leads[0])
        low, middle, high = quantiles(self.leads, n=4, method="inclusive")
        return f"{middle:.0f} [{low:.0f}, {high:.0f}]"


def catch(
    signal: Signal, broken: list[Judged], healthy: list[Judged], threshold: float, watch: Watch
) -> Catch:
    def alarm_of(one: Judged) -> int | None:
        return first_alarm(in_time(signal.series(one.trail), one.label, watch), threshold)

    alarms = [(one.label.event, alarm_of(one)) for one in broken]
    caught = [(event, alarm) for event, alarm in alarms if alarm is not None]
    false = sum(alarm_of(one) is not None for one in healthy)
    return Catch(
        threshold,
        Share(len(caught), len(broken)),
        Share(false, len(healthy)),
        [event - alarm for event, alarm in caught if event is not None],
    )


def counting_lost(runs: list[Judged]) -> list[Judged]:
    return [replace(one, counts_lost=True) for one in runs]


def late(runs: list[Judged]) -> list[Judged]:
    return [one for one in runs if one.breaks_late()]


def healthy(runs: list[Judged]) -> list[Judged]:
    return [one for one in runs if one.label.is_healthy()]


def peaks(signal: Signal, runs: list[Judged], watch: Watch) -> list[float]:
    return [peak(in_time(signal.series(one.trail), one.label, watch)) for one in runs]


def readings(signal: Signal, runs: list[Judged]) -> list[float]:
    """At step READ_AT; those without a value are left out."""
    values = [value_at(signal.series(one.trail), READ_AT) for one in runs]
    return [value for value in values if math.isfinite(value)]


@dataclass(frozen=True)
class Merit:
    """A signal on a set of runs at equal false alarms."""

    signal: Signal
    at_equal: Catch
    auroc_read: float  # at step READ_AT
    auroc_peak: float  # of the highest score in time
    brier: float  # at step READ_AT; NaN if it is no probability


def merit_of(signal: Signal, runs: list[Judged], watch: Watch) -> Merit:
    broken, sound = late(runs), healthy(runs)
    broken_peaks, sound_peaks = peaks(signal, broken, watch), peaks(signal, sound, watch)
    threshold = threshold_at(sound_peaks)
    read_broken, read_sound = readings(signal, broken), readings(signal, sound)
    outcomes = [True] * len(read_broken) + [False] * len(read_sound)
    return Merit(
        signal,
        catch(signal, broken, sound, threshold, watch),
        auroc(read_broken, read_sound),
        auroc(broken_peaks, sound_peaks),
        brier(read_broken + read_sound, outcomes) if signal.is_probability else math.nan,
    )


def carried(signal: Signal, fitted: list[Judged], runs: list[Judged], watch: Watch) -> Catch:
    """With the threshold that gives equal false alarms on the runs it was fitted on."""
    threshold = threshold_at(peaks(signal, healthy(fitted), watch))
    return catch(signal, late(runs), healthy(runs), threshold, watch)


def concordance(signal: Signal, runs: list[Judged]) -> tuple[float, int]:
    """AUROC at step READ_AT over pairs of equal family, cause and learning rate; how many."""
    sets: dict[tuple, list[Judged]] = {}
    for one in runs:
        run = one.trail.run
        sets.setdefault((run.family, run.cause, run.lr), []).append(one)
    above, pairs = 0.0, 0
    for members in sets.values():
        broken, sound = readings(signal, late(members)), readings(signal, healthy(members))
        count = len(broken) * len(sound)
        if count:
            above += count * auroc(broken, sound)
            pairs += count
    return (above / pairs if pairs else math.nan), pairs
