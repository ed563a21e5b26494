"""Runs of known outcome, made up."""

import sys

sys.path.insert(0, sys.argv.pop(1))
from curves import Alert, Probe, Record, Trail  # noqa: E402
from plans import make_run  # noqa: E402
from signals import CHEAP, RATE, SPECTRAL  # noqa: E402


def record(step, loss, grad_norm=0.3, lr=1e-2, step_s=0.1):
    return Record(step, loss, grad_norm, lr, step_s)


def records_of(losses):
    return [record(step + 1, loss) for step, loss in enumerate(losses)]


def learning(steps=400, last=1.5):
    """Falls from 5.5 to `last`."""
    return [last + (5.5 - last) * 0.97**step for step in range(steps)]


def probe(step, growth=0.0, risk=float("nan"), **features):
    values = dict.fromkeys([*CHEAP, *SPECTRAL, RATE], 0.0)
    values |= {"attention_growth": growth, "loss": 2.0} | features
    return Probe(step, risk, values, [1.0, 2.0 + growth], [0.1, 0.2])


def trail(losses, growth, size="base", lr=1e-2, seed=1, every=25, risk=0.0, **features):
    """`growth`: of the attention logits, the same at every probe."""
    steps = [1, *range(every, len(losses) + 1, every)]
    probes = [probe(step, growth, risk, **features) for step in steps]
    run = make_run(size, "rate", lr, seed, len(losses))
    return Trail(run, records_of(losses), probes, [], False)


def broken_losses(event, steps=400, last=1.5):
    """Learns, and from `event` on is a nat above its lowest."""
    losses = learning(steps, last)
    return losses[: event - 1] + [losses[event - 1] + 1.0] * (steps - event + 1)


__all__ = ["Alert", "Record", "Trail", "broken_losses", "learning", "probe", "record", "trail"]
