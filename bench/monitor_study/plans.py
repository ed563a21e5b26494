"""Which trainings a study consists of. Seeds are fixed: a plan is the same wherever it is made."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

WARM_UP = 100
# A rate that is multiplied in mid-run, on a straight line through the origin: continuous.
RAMP_FROM = 200


@dataclass(frozen=True)
class Size:
    dim: int
    layers: int
    half_breaks: float  # learning rate at which about half the runs break, from scouting runs
    step_s: float  # on one core of a Sapphire Rapids server, monitor included

    def keys(self) -> dict[str, str]:
        return {
            "model.dim": str(self.dim),
            "model.layers": str(self.layers),
            "model.heads": "4",
            "model.kv_heads": "4",
            "model.ffn": str(3 * self.dim),
        }


SIZES = {
    "base": Size(64, 4, 4e-2, 0.11),
    "wide": Size(128, 3, 3e-2, 0.20),
    "deep": Size(64, 8, 3e-2, 0.20),
    "wider": Size(256, 4, 2e-2, 0.75),
    "deeper": Size(128, 12, 1.5e-2, 0.75),
    "pilot": Size(128, 6, 2e-2, 0.40),
}

# What else may break a run, at a rate that is safe by itself.
CAUSES = {
    "beta2-high": {"optim.beta2": "0.999"},
    "beta2-low": {"optim.beta2": "0.5"},
    "init": {"model.init_std": "0.08"},
    "bf16": {"precision.param": "bf16", "precision.residual": "bf16"},
    "no-decay": {"optim.weight_decay": "0"},
    "ramp": {},
}
NORMS = {
    "post": {"model.norm_placement": "post"},
    "none": {"model.norm_placement": "none"},
    "qk-norm": {"model.qk_norm": "true"},
}
SAFE = 0.35  # of half_breaks


@dataclass(frozen=True)
class Stage:
    """Up to a step, with keys of its own; a later stage resumes the earlier one's checkpoint."""

    until: int
    keys: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    name: str
    family: str  # what it is judged with: runs of a family differ in rate and seed only
    cause: str  # "rate", or what was done to it besides
    lr: float
    keys: dict[str, str]
    stages: list[Stage]
    step_s: float  # expected
    origin: str = ""  # the run that this one repeats with an action switched on

    def steps(self) -> int:
        return self.stages[-1].until

    def cost_s(self) -> float:
        return self.steps() * self.step_s


def make_run(size: str, cause: str, lr: float, seed: int, steps: int) -> Run:
    keys = {
        "data.seq_len": "128",
        "data.micro_batch": "16",
        "data.global_batch": "16",
        "schedule.kind": "constant",
        "schedule.warmup": str(WARM_UP),
        "optim.lr": f"{lr:.4g}",
        "run.steps": str(steps),
        "run.seed": str(seed),
    }
    keys |= SIZES[size].keys() | (CAUSES | NORMS).get(cause, {})
    stages = [Stage(steps)]
    if cause == "ramp":
        top = {"optim.lr": f"{lr * steps / RAMP_FROM:.6g}", "schedule.warmup": str(steps)}
        stages = [Stage(RAMP_FROM), Stage(steps, top)]
    family = size if cause == "rate" else f"{size}-causes" if cause in CAUSES else f"{size}-{cause}"
    name = f"{size}-{cause}-lr{lr:.3g}-s{seed}"
    return Run(name, family, cause, lr, keys, stages, SIZES[size].step_s)


def rate_runs(
    size: str, shares: Iterable[float], seeds: int, steps: int, first_seed: int, cause: str = "rate"
) -> Iterator[Run]:
    """Each learning rate with seeds of its own: no two runs of a plan share data order."""
    for share in shares:
        for _ in range(seeds):
            lr = float(f"{share * SIZES[size].half_breaks:.3g}")
            yield make_run(size, cause, lr, first_seed, steps)
            first_seed += 1


def cause_runs(size: str, seeds: int, steps: int, first_seed: int) -> Iterator[Run]:
    for cause in CAUSES:
        yield from rate_runs(size, [SAFE], seeds, steps, first_seed, cause)
        first_seed += seeds


def pilot() -> list[Run]:
    """Tries the tool."""
    return [
        *rate_runs("base", [0.1, 25.0], 1, 60, 1),
        *rate_runs("deep", [0.1], 1, 60, 11),
        make_run("base", "bf16", 3e-3, 21, 60),
    ]


def scout() -> list[Run]:
    """Where half of the runs break: which Size.half_breaks says."""
    shares = [0.25, 0.5, 1.0, 2.0, 4.0]
    sizes = ["base", "wide", "deep"]
    return [r for i, s in enumerate(sizes) for r in rate_runs(s, shares, 1, 1200, 101 + 100 * i)]


def small() -> list[Run]:
    steps = 1200
    return [
        *rate_runs("base", [0.25, 0.5, 0.7, 1.0, 1.4, 2.0], 4, steps, 1001),
        *cause_runs("base", 3, steps, 2001),
        *rate_runs("wide", [0.35, 0.7, 1.0, 1.4], 4, steps, 3001),
        *rate_runs("deep", [0.35, 0.7, 1.0, 1.4], 4, steps, 4001),
    ]


def large() -> list[Run]:
    """Six sizes of 64 seeds at the rate that breaks half and 80 below it, causes, other norms."""
    runs: list[Run] = []
    steps = 1500
    for i, size in enumerate(SIZES):
        seed = 100_000 * (i + 1)
        runs += rate_runs(size, [1.0], 64, steps, seed)
        runs += rate_runs(size, [0.125, 0.25, 0.35, 0.5], 20, steps, seed + 1000)
    runs += cause_runs("base", 48, steps, 800_000)
    for i, norm in enumerate(NORMS):
        runs += rate_runs("base", [0.125, 0.35, 1.0], 16, steps, 900_000 + 1000 * i, norm)
    return runs


PLANS = {"pilot": pilot, "scout": scout, "small": small, "large": large}


def saved(origins: Iterable[Run], calibration: Path | None) -> list[Run]:
    """The same runs, with the action switched on."""
    extra = {"monitor.on_alert": "lower_lr"}
    if calibration:
        extra["monitor.calibration"] = str(calibration.resolve())
    return [
        Run(**{**vars(r), "name": f"saved-{r.name}", "origin": r.name, "keys": r.keys | extra})
        for r in origins
    ]


def to_json(runs: list[Run]) -> str:
    return json.dumps([asdict(run) for run in runs], indent=1) + "\n"


def run_of(entry: dict) -> Run:
    return Run(**{**entry, "stages": [Stage(**stage) for stage in entry["stages"]]})


def load(plan: str) -> list[Run]:
    """A plan of this file by its name, or one in JSON by its path."""
    if plan in PLANS:
        return PLANS[plan]()
    if not Path(plan).is_file():
        raise SystemExit(f"there is no plan '{plan}': {', '.join(PLANS)}, or a JSON file")
    return [run_of(entry) for entry in json.loads(Path(plan).read_text())]


def summary(runs: list[Run]) -> str:
    lines = [f"{'family':<14}{'runs':>5}{'steps':>7}  {'CPU hours':>9}  learning rates"]
    for family in dict.fromkeys(run.family for run in runs):
        own = [run for run in runs if run.family == family]
        rates = ", ".join(f"{lr:.3g}" for lr in sorted({run.lr for run in own}))
        hours = sum(run.cost_s() for run in own) / 3600
        lines.append(f"{family:<14}{len(own):>5}{own[0].steps():>7}  {hours:>9.2f}  {rates}")
    hours = sum(run.cost_s() for run in runs) / 3600
    lines.append(f"{'all':<14}{len(runs):>5}{'':>7}  {hours:>9.2f}")
    return "\n".join(lines)
