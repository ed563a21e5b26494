"""Risks fitted on some families of a study."""

import math

from alarms import FALSE_ALARMS, READ_AT, WARM_UP, Judged, Watch, healthy, peaks, threshold_at
from logistic import Coverage, Example, Logistic, fit, to_calibration
from signals import CHEAP, SPECTRAL, Signal, feature, logistic, recent_features, value_at
from measures import auroc

HORIZON = 400  # steps that a probability speaks about
FIRST_LOOK = 100  # the end of the warm-up
STEPS_BETWEEN_LOOKS = 50


def examples_of(runs: list[Judged], names: list[str]) -> list[Example]:
    """Looks at a run while it is unbroken, all of a run weighing as much as one: does it break
    within the horizon? Runs that spike are neither: left out."""
    examples = []
    for one in runs:
        if one.is_bad() or one.label.is_healthy():
            looks = looks_at(one, names)
            examples += [Example(values, breaks, 1 / len(looks)) for values, breaks in looks]
    return examples


def looks_at(one: Judged, names: list[str]) -> list[tuple[dict[str, float], bool]]:
    features = recent_features(one.trail, names)
    event = one.label.event or math.inf
    end = min(event, max(features, default=0) + 1)
    looks = []
    for step in range(FIRST_LOOK, math.ceil(end), STEPS_BETWEEN_LOOKS):
        seen = [at for at in features if at <= step]
        if seen:
            looks.append((features[seen[-1]], one.label.is_lost() or event <= step + HORIZON))
    return looks


def fit_on(runs: list[Judged], names: list[str]) -> Logistic:
    return fit(examples_of(runs, names), names)


def fitted_signals(runs: list[Judged]) -> list[Signal]:
    """None where no run that broke, or no healthy one, could be learned from."""
    sets = {"cheap": CHEAP, "spectral": SPECTRAL, "cheap and spectral": CHEAP + SPECTRAL}
    sets |= {f"{name} alone": [name] for name in ("attention_growth", "expanding")}
    try:
        return [logistic(f"fit: {label}", "fit", fit_on(runs, sets[label])) for label in sets]
    except ValueError:
        return []


def sign_of(name: str, runs: list[Judged]) -> float:
    """Which way a feature points, as the runs say that a fit may see."""
    series = feature(name, "").series
    broken = [value_at(series(one.trail), READ_AT) for one in runs if one.breaks_late()]
    sound = [value_at(series(one.trail), READ_AT) for one in healthy(runs)]
    return -1.0 if auroc(broken, sound) < 0.5 else 1.0


def calibration_json(runs: list[Judged], names: list[str], about: str) -> str:
    """Its threshold: where 5% of the healthy runs behind it would have raised an alarm."""
    model = fit_on(runs, names)
    signal = logistic("fit", "fit", model)
    last = min(one.trail.run.steps() for one in runs)
    highest = peaks(signal, healthy(runs), Watch(WARM_UP, last))
    threshold = min(threshold_at(highest, FALSE_ALARMS), 0.999)
    keys = [one.trail.run.keys for one in runs]
    covers = Coverage(
        sorted({k.get("model.norm_placement", "pre") for k in keys}),
        sorted({k.get("model.qk_norm", "false") == "true" for k in keys}),
        [f(int(k["model.dim"]) for k in keys) for f in (min, max)],
        [f(int(k["model.layers"]) for k in keys) for f in (min, max)],
    )
    return to_calibration(model, about, HORIZON, threshold, covers)
