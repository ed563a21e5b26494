"""What damaged text did to runs, and what was said of it."""

import statistics
from collections.abc import Iterable

from alarms import Judged
from curves import Alert
from damage import steps_of
from measures import Share
from report import figure, table

SEEN_WITHIN = 20  # steps after the damage in which an alert still speaks of it

ABOUT = """\
Twenty steps in mid-run read noise (bytes at random) or one byte over and over: the windows that the
sampler comes to in steps {steps}. Not part of the tables above, and no run of these was fitted to.
*Seen*: an alert of loss or gradient norm, from the first of these steps until {within} steps after
the last. *Rise*: the highest loss of these steps over the median of the 50 before.
"""


def rise(one: Judged, steps: range) -> float:
    before = [r.loss for r in one.trail.records if steps.start - 50 <= r.step < steps.start]
    during = [r.loss for r in one.trail.records if r.step in steps]
    return max(during) - statistics.median(before)


def bursts(one: Judged, steps: range) -> list[Alert]:
    last = steps.stop + SEEN_WITHIN
    kinds = ("loss", "gradient_norm")
    return [a for a in one.trail.alerts if a.kind in kinds and steps.start <= a.step < last]


def risks(one: Judged, steps: Iterable[int]) -> list[Alert]:
    return [a for a in one.trail.alerts if a.kind == "risk" and a.step in steps]


def row(one: Judged, steps: range) -> list[str]:
    seen = bursts(one, steps)
    first = f"{seen[0].kind.replace('_', ' ')}, step {seen[0].step}" if seen else "–"
    said = risks(one, range(steps.start))
    after = risks(one, range(steps.start, one.trail.records[-1].step + 1))
    return [
        one.trail.run.name,
        one.label.outcome,
        figure(one.label.final_loss),
        f"{rise(one, steps):+.2f}",
        first,
        str(said[0].step) if said else "–",
        str(after[0].step) if after else "–",
    ]


def damage_section(runs: list[Judged]) -> str:
    rows, seen = [], 0
    for one in runs:
        _, steps = steps_of(one.trail.run.damage)
        rows.append(row(one, steps))
        seen += bool(bursts(one, steps))
    head = [
        "run",
        "outcome",
        "final loss",
        "rise",
        "first seen",
        "risk raised before",
        "and from then on",
    ]
    span = f"{steps.start} to {steps.stop - 1}"
    about = ABOUT.format(steps=span, within=SEEN_WITHIN)
    return f"{about}\nSeen in {Share(seen, len(runs)).text()} runs.\n\n{table(head, rows)}"
