"""docs/monitor-study.md from the figures."""

import math
from collections.abc import Iterable
from pathlib import Path

from alarms import (
    FALSE_ALARMS,
    READ_AT,
    WARM_UP,
    Catch,
    Judged,
    counting_lost,
    first_alarm,
    healthy,
    in_time,
    late,
)
from analysis import Rescue, Study, cost_of, difference, mean_cost
from labels import FIRST_STEP, OUTCOMES
from measures import Share
from pictures import recall_bars, risk_over_time, roc_curves
from wording import INTRODUCTION, LIMITS


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def figure(value: float, digits: int = 2) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:+.2f}%"


def outcomes_table(study: Study) -> str:
    rows = []
    for family in study.families():
        own = study.family(family)
        counts = [str(sum(one.label.outcome == outcome for one in own)) for outcome in OUTCOMES]
        events = sorted(one.label.event for one in own if one.label.is_broken())
        span = f"{events[0]}–{events[-1]}" if events else "–"
        rows.append([family, str(len(own)), *counts, span])
    return table(["family", "runs", *OUTCOMES, "breaks at steps"], rows)


def rates_table(study: Study) -> str:
    sets: dict[tuple, list[Judged]] = {}
    for one in study.runs:
        run = one.trail.run
        sets.setdefault((run.family, run.cause, run.lr), []).append(one)
    rows = [
        [family, cause, f"{lr:.3g}", Share(sum(o.label.is_broken() for o in own), len(own)).text()]
        for (family, cause, lr), own in sorted(sets.items())
    ]
    return table(["family", "cause", "learning rate", "broke"], rows)


def catch_cells(found: Catch) -> list[str]:
    return [found.recall.text(), found.lead_text(), found.false.text()]


def shipped_section(study: Study) -> str:
    parts = []
    for name, runs in subsets(study):
        rows = [[signal, *catch_cells(found)] for signal, found in study.as_shipped(runs)]
        parts.append(f"### {name}\n\n" + table(["", "recall", "lead, steps", "false alarms"], rows))
    return "\n".join(parts)


def subsets(study: Study) -> list[tuple[str, list[Judged]]]:
    held_out = study.held_out()
    wanted = [("Held out: other widths and depths", held_out), ("All runs", study.runs)]
    found = []
    for name, runs in wanted:
        found.append((name, runs))
        if any(one.label.is_lost() for one in runs):
            found.append((f"{name}, never to learn counted as breaking", counting_lost(runs)))
    return [(name, runs) for name, runs in found if runs]


def merits_table(study: Study, runs: list[Judged]) -> str:
    rows = [
        [
            m.signal.name,
            m.signal.kind,
            m.at_equal.recall.text(),
            m.at_equal.lead_text(),
            figure(m.auroc_read),
            figure(m.auroc_peak),
            figure(m.brier, 3),
        ]
        for m in study.merits(runs)
    ]
    head = ["signal", "kind", "recall", "lead, steps", f"AUROC at {READ_AT}", "peak", "Brier"]
    return table(head, rows)


def equal_section(study: Study) -> str:
    has_fits = any(signal.kind == "fit" for signal in study.signals)
    parts = [] if has_fits else ["Nothing was fitted: its families lack one of the outcomes.\n"]
    for name, runs in subsets(study):
        broken, sound = len(late(runs)), len(healthy(runs))
        counts = f"{broken} runs that break after step {READ_AT}, {sound} healthy."
        parts.append(f"### {name}\n\n{counts}\n\n" + merits_table(study, runs))
    return "\n".join(parts)


def carried_table(study: Study) -> str:
    rows = [[s.name, *catch_cells(found)] for s, found in study.carried(study.held_out())]
    return table(["signal", "recall", "lead, steps", "false alarms"], rows)


def rate_sets_table(study: Study) -> str:
    found = study.concordances(study.runs)
    rows = [[s.name, figure(c)] for s, c, _ in sorted(found, key=lambda f: -nan_last(f[1]))]
    pairs = max((pairs for _, _, pairs in found), default=0)
    text = (
        f"{pairs} pairs of a run that breaks after step {READ_AT} and a healthy one, of the same "
        "family, cause and learning rate: the share of pairs that the score ranks rightly.\n\n"
    )
    return text + table(["signal", "concordance"], rows)


def nan_last(value: float) -> float:
    return -1.0 if math.isnan(value) else value


def early_section(study: Study) -> str:
    early = [one for one in study.runs if one.breaks_early()]
    steps = ", ".join(str(one.label.event) for one in sorted(early, key=lambda o: o.label.event))
    lost = [one for one in study.runs if one.label.outcome == "never learned"]
    spikes = [one for one in study.runs if one.label.outcome == "spike"]
    alarmed = [has_alarm(study, one) for one in lost]
    spiked = [has_alarm(study, one) for one in spikes]
    caught = [has_alarm(study, one) for one in early]
    return (
        f"{len(early)} runs broke by step {READ_AT}{f': at steps {steps}' if steps else ''}; "
        f"{study.risk.name} warned before of {Share(sum(caught), len(caught)).text()}. "
        f"Runs that never learned, with an alarm: {Share(sum(alarmed), len(alarmed)).text()}; "
        f"that spiked, before they did: {Share(sum(spiked), len(spiked)).text()}.\n"
    )


def has_alarm(study: Study, one: Judged) -> bool:
    series = in_time(study.risk.series(one.trail), one.label, study.watch(FIRST_STEP))
    return first_alarm(series, study.threshold) is not None


def spectrum_section(study: Study) -> str:
    named = {signal.name: signal for signal in study.signals}
    pairs = [
        ("fit: cheap and spectral", "fit: cheap"),
        ("fit: spectral", "fit: cheap"),
        ("fit: cheap", "learning_rate"),
        ("rule A", "learning_rate"),
    ]
    rows = []
    for name, runs in subsets(study):
        for a, b in pairs:
            if a not in named or b not in named:
                continue
            value, low, high = difference(named[a], named[b], runs)
            rows.append([name, a, b, f"{figure(value, 3)} [{figure(low, 3)}, {figure(high, 3)}]"])
    return table(["runs", "signal", "less", "difference of AUROC at " + str(READ_AT)], rows)


def cost_table(study: Study) -> str:
    rows = []
    for family in study.families():
        cost = cost_of(family, study.family(family))
        share = f"{100 * cost.share():.1f}%"
        rows.append([family, f"{cost.step_ms:.0f}", f"{cost.probe_ms:.0f}", share])
    text = (
        "A probe, cheap signals and spectra together, on these small models, where it weighs most: "
        "all 2,048 tokens of a step are sampled.\n\n"
    )
    return text + table(["family", "step, ms", "probe, ms", "of the time, each 25 steps"], rows)


def rescue_section(result: Rescue) -> str:
    worst = max(result.cost, default=math.nan)
    return table(
        ["", ""],
        [
            ["runs that break, saved", result.saved.text()],
            ["runs that never learned, saved", result.taught.text()],
            ["healthy runs whose rate was lowered", result.touched.text()],
            ["healthy runs that break with it", result.broken_by_it.text()],
            ["final loss of healthy runs, mean change", percent(mean_cost(result))],
            ["final loss of healthy runs, worst change", percent(worst)],
        ],
    )


def runs_table(study: Study) -> str:
    rows = []
    for one in study.runs:
        label = one.label
        event = "–" if label.event is None else str(label.event)
        rows.append([one.trail.run.name, label.outcome, event, figure(label.final_loss)])
    return table(["run", "outcome", "event", "final loss"], rows)


def markdown(study: Study, plan: str, rescued: Rescue | None, damaged: str = "") -> str:
    settings = study.settings
    more = f" --calibration {settings.calibration.name}" if settings.calibration else ""
    more += (" --saved SAVED" if rescued else "") + (" --damaged DAMAGED" if damaged else "")
    made = [(name, "RUNS") for name in plan.split(",")]
    made += [("damaged", "DAMAGED")] if damaged else []
    introduction = INTRODUCTION.format(
        plans="\n".join(
            f"    python3 bench/monitor_study/study.py run {name} --build BUILD --data kjv.h5 --out {out}"
            for name, out in made
        ),
        families=",".join(settings.fitted),
        more=more,
        fitted=", ".join(settings.fitted),
        bar=settings.bar,
        horizon=settings.horizon,
        read_at=READ_AT,
        warm_up=WARM_UP,
        false=FALSE_ALARMS,
    )
    sections = [
        introduction,
        "## What became of the runs\n\n" + outcomes_table(study) + "\n" + rates_table(study),
        f"## As shipped: thresholds of before\n\nThreshold of the risk: {study.threshold:.3g}.\n\n"
        + shipped_section(study),
        "![risk over time](monitor-study-risk.svg)\n",
        "## At equal false alarms\n\n" + equal_section(study),
        "![recall](monitor-study-recall.svg)\n\n![ROC](monitor-study-roc.svg)\n",
        "## Thresholds carried over to sizes not seen\n\n" + carried_table(study),
        "## What the spectrum adds\n\n" + spectrum_section(study),
        "## At equal learning rate\n\n" + rate_sets_table(study),
        "## Early events, and what is neither healthy nor broken\n\n" + early_section(study),
        "## What a probe costs\n\n" + cost_table(study),
    ]
    if rescued:
        sections.append("## Lowering the rate on an alert\n\n" + rescue_section(rescued))
    if damaged:
        sections.append("## Damaged data\n\n" + damaged)
    sections += [LIMITS, "## Every run\n\n" + runs_table(study)]
    return "\n".join(sections)


def write(
    study: Study, docs: Path, plan: str, rescued: Rescue | None = None, damaged: str = ""
) -> None:
    docs.mkdir(parents=True, exist_ok=True)
    name, runs = subsets(study)[0]
    named = {signal.name: signal for signal in study.signals}
    shown = ["fit: cheap", "fit: spectral", "fit: cheap and spectral", "learning_rate"]
    curves = [study.risk, *[named[n] for n in shown if n in named]]
    of = f"Recall at {FALSE_ALARMS:.0%} false alarms. {name}"
    pictures = {
        "risk": risk_over_time(study.risk, study.runs, study.watch(FIRST_STEP), study.threshold),
        "recall": recall_bars(study.merits(runs), of),
        "roc": roc_curves(curves, runs, study.watch(), name),
    }
    for label, picture in pictures.items():
        (docs / f"monitor-study-{label}.svg").write_text(picture)
    (docs / "monitor-study.md").write_text(markdown(study, plan, rescued, damaged))
