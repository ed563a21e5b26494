"""Which trainings a study consists of. Seeds are fixed: a plan is the same wherever it is made."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
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


Sizes = dict[str, Size]
SIZES: Sizes = {
    "base": Size(64, 4, 6e-2, 0.095),
    "wide": Size(128, 3, 4e-2, 0.165),
    "deep": Size(64, 8, 5e-2, 0.20),
    "wider": Size(256, 4, 2e-2, 0.75),
    "deeper": Size(128, 12, 1.5e-2, 0.75),
    "middle": Size(128, 6, 2e-2, 0.37),
    "flat": Size(160, 2, 3.5e-2, 0.23),
    "tall": Size(48, 12, 5e-2, 0.25),
}


def sizes_with(rates: str) -> Sizes:
    """`rates`: "base=0.05,deep=0.03", what half_breaks turned out to be."""
    sizes = dict(SIZES)
    for pair in filter(None, rates.split(",")):
        name, _, rate = pair.partition("=")
        if name not in sizes or not rate:
            raise SystemExit(f"'{pair}' names no size and rate; sizes: {', '.join(sizes)}")
        sizes[name] = replace(sizes[name], half_breaks=float(rate))
    return sizes


# What else may break a run, at a rate that is safe by itself.
CAUSES = {
    "beta2-high": {"optim.beta2": "0.999"},
    "beta2-low": {"optim.beta2": "0.5"},
    "init": {"model.init_std": "0.08"},
    "bf16": {"precision.param": "bf16", "precision.residual": "bf16"},
    "no-decay": {"optim.weight_decay": "0"},
    "ramp": {},
}
# Of the text that is read in some steps: kind, and steps.
DAMAGES = {"noisy-data": "noise 600:620", "blank-data": "zeros 600:620"}
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
    damage: str = ""  # of its text: one of DAMAGES

    def steps(self) -> int:
        return self.stages[-1].until

    def cost_s(self) -> float:
        return self.steps() * self.step_s


def family_of(size: str, cause: str) -> str:
    if cause == "rate":
        return size
    if cause in CAUSES:
        return f"{size}-causes"
    return f"{size}-data" if cause in DAMAGES else f"{size}-{cause}"


def make_run(
    size: str, cause: str, lr: float, seed: int, steps: int, sizes: Sizes = SIZES
) -> Run:
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
    keys |= sizes[size].keys() | (CAUSES | NORMS).get(cause, {})
    stages = [Stage(steps)]
    if cause == "ramp":
        top = {"optim.lr": f"{lr * steps / RAMP_FROM:.6g}", "schedule.warmup": str(steps)}
        stages = [Stage(RAMP_FROM), Stage(steps, top)]
    name = f"{size}-{cause}-lr{lr:.3g}-s{seed}"
    damage = DAMAGES.get(cause, "")
    step_s = sizes[size].step_s
    return Run(name, family_of(size, cause), cause, lr, keys, stages, step_s, damage=damage)


@dataclass(frozen=True)
class Maker:
    """Makes runs of one length, whose rates are shares of what breaks half of their size."""

    steps: int
    sizes: Sizes

    def rates(
        self, size: str, shares: Iterable[float], seeds: int, first_seed: int, cause: str = "rate"
    ) -> Iterator[Run]:
        """Seeds go on from rate to rate: no two runs of a plan share weights or data order."""
        for share in shares:
            for _ in range(seeds):
                lr = float(f"{share * self.sizes[size].half_breaks:.3g}")
                yield make_run(size, cause, lr, first_seed, self.steps, self.sizes)
                first_seed += 1

    def causes(self, size: str, causes: Iterable[str], seeds: int, first: int) -> Iterator[Run]:
        for cause in causes:
            yield from self.rates(size, [SAFE], seeds, first, cause)
            first += seeds


def pilot(sizes: Sizes) -> list[Run]:
    """Tries the tool."""
    make = Maker(60, sizes)
    return [
        *make.rates("base", [0.1, 20.0], 1, 1),
        *make.rates("deep", [0.1], 1, 11),
        make_run("base", "bf16", 3e-3, 21, 60, sizes),
    ]


def scout(sizes: Sizes) -> list[Run]:
    """Where half of the runs break: what Size.half_breaks is to say."""
    make, shares = Maker(1500, sizes), [0.5, 0.7, 1.0, 1.4, 2.0]
    names = ["base", "wide", "deep"]
    return [r for i, name in enumerate(names) for r in make.rates(name, shares, 1, 101 + 100 * i)]


def small(sizes: Sizes) -> list[Run]:
    make = Maker(1500, sizes)
    return [
        *make.rates("base", [0.25, 0.5, 0.7, 1.0, 1.4], 4, 1001),
        *make.causes("base", CAUSES, 3, 2001),
        *make.rates("wide", [0.35, 0.7, 1.0, 1.4], 4, 3001),
        *make.causes("wide", ["ramp"], 3, 3501),
        *make.rates("deep", [0.35, 0.7, 1.0, 1.4], 4, 4001),
        *make.causes("deep", ["ramp"], 3, 4501),
    ]


def blind(sizes: Sizes) -> list[Run]:
    """Wider, and deeper, than all of `small`: for a risk that was settled before they are run."""
    make, runs = Maker(1500, sizes), []
    for i, size in enumerate(["flat", "tall"]):
        runs += make.rates(size, [0.35, 0.7, 1.0, 1.4], 3, 50_001 + 1000 * i)
        runs += make.causes(size, ["ramp"], 2, 50_501 + 1000 * i)
    return runs


def damaged(sizes: Sizes) -> list[Run]:
    """Twenty steps of damaged text in mid-run, at a rate that is safe and at one that is not."""
    make, runs = Maker(1000, sizes), []
    for i, cause in enumerate(DAMAGES):
        runs += make.rates("base", [SAFE, 0.7], 3, 6001 + 100 * i, cause)
    return runs


def large(sizes: Sizes) -> list[Run]:
    """Each size: 64 seeds at the rate that breaks half, 80 below it; causes, other norms."""
    runs: list[Run] = []
    make = Maker(1500, sizes)
    for i, size in enumerate(sizes):
        seed = 100_000 * (i + 1)
        runs += make.rates(size, [1.0], 64, seed)
        runs += make.rates(size, [0.125, 0.25, 0.35, 0.5], 20, seed + 1000)
    runs += make.causes("base", CAUSES, 48, 1_000_000)
    for i, norm in enumerate(NORMS):
        runs += make.rates("base", [0.125, 0.35, 1.0], 16, 1_100_000 + 1000 * i, norm)
    return runs


PLANS = {
    "pilot": pilot,
    "scout": scout,
    "small": small,
    "blind": blind,
    "damaged": damaged,
    "large": large,
}


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


def load(plan: str, rates: str = "") -> list[Run]:
    """A plan of this file by its name, or one in JSON by its path."""
    if plan in PLANS:
        return PLANS[plan](sizes_with(rates))
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
