"""The study's pictures."""

from alarms import Judged, Merit, Watch, healthy, in_time, late, peaks
from labels import OUTCOMES
from measures import roc
from signals import Signal
from svg import Axis, Chart

COLORS = dict(zip(OUTCOMES, ("#b2182b", "#e6550d", "#8c6bb1", "#969696", "#2171b5")))
KINDS = {
    "shipped": "#08519c",
    "rule": "#3182bd",
    "cheap": "#31a354",
    "spectral": "#e6550d",
    "fit": "#756bb1",
    "rate": "#969696",
}
LINES = ["#08519c", "#e6550d", "#31a354", "#756bb1", "#969696", "#b2182b"]


def risk_over_time(risk: Signal, runs: list[Judged], watch: Watch, threshold: float) -> str:
    """One line a run up to its event; healthy runs below, so that those that break are seen."""
    horizon = watch.last
    step = max(1, horizon // 6 // 50 * 50)
    chart = Chart(
        "Risk over time, a line a run, up to its event",
        Axis("step", 0, horizon, list(range(0, horizon + 1, step))),
        Axis("risk", 0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
    )
    for outcome in reversed(OUTCOMES):
        own = [one for one in runs if one.label.outcome == outcome]
        if own:
            chart.legend.insert(0, (f"{outcome} ({len(own)})", COLORS[outcome]))
        for one in own:
            points = in_time(risk.series(one.trail), one.label, watch)
            chart.line(points, COLORS[outcome])
            if one.label.event is not None and points:
                chart.dot(*points[-1], COLORS[outcome])
    chart.level(threshold, f"threshold {threshold:.2f}")
    return chart.text()


def recall_bars(merits: list[Merit], title: str) -> str:
    ordered = sorted(merits, key=lambda m: m.at_equal.recall.value())
    names = [merit.signal.name for merit in ordered]
    chart = Chart(
        title,
        Axis("recall", 0, 1, [0, 0.25, 0.5, 0.75, 1]),
        Axis("", -1, len(names), list(range(len(names))), lambda row: names[int(row)]),
        height=22 * (len(names) + 1),
        left=230,
        width=460,
        legend_width=110,
    )
    for row, merit in enumerate(ordered):
        recall = merit.at_equal.recall
        if recall.of:
            chart.bar(row, recall.value(), recall.interval(), KINDS[merit.signal.kind])
    kinds = [kind for kind in KINDS if any(m.signal.kind == kind for m in merits)]
    chart.legend = [(kind, KINDS[kind]) for kind in kinds]
    return chart.text()


def roc_curves(signals: list[Signal], runs: list[Judged], watch: Watch, title: str) -> str:
    chart = Chart(
        title,
        Axis("healthy runs that alarm", 0, 1, [0, 0.25, 0.5, 0.75, 1]),
        Axis("runs that break caught before they do", 0, 1, [0, 0.25, 0.5, 0.75, 1]),
        width=380,
        height=380,
        legend_width=220,
    )
    for signal, color in zip(signals, LINES):
        points = roc(peaks(signal, late(runs), watch), peaks(signal, healthy(runs), watch))
        chart.line(points, color, 2.5)
        chart.legend.append((signal.name, color))
    return chart.text()
