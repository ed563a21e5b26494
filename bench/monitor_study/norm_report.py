"""docs/monitor-profile.md from profiles."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from initial_profiles import (
    NORMS,
    PLAIN,
    RANDOM,
    SCALES,
    SEEDS,
    SHIPPED,
    SIZES,
    TEXTS,
    TOKENS,
    WIDE,
    Profile,
    Setting,
)
from norm_wording import PAGE
from report import figure, table


@dataclass(frozen=True)
class Paper:
    """A row of table 1: runs, diverged %, masses near and above 1, spectral radius."""

    name: str
    runs: int
    diverged: float
    near_unit: float
    expanding: float
    radius: float
    gpt: str  # the same in gpt_spectra
    ours: str | None  # the same in Ballast


TABLE_1 = [
    Paper("Pre-LN", 25, 0, 0.16, 0.54, 2.29, "pre_layer", "pre, layer"),
    Paper("Post-LN", 69, 0, 0.66, 0.31, 7.48, "post_layer", "post, layer"),
    Paper("RMSNorm", 12, 0, 0.16, 0.54, 2.28, "pre_rms", "pre, RMS"),
    Paper("DeepNorm", 12, 0, 0.00, 1.00, 3.94, "deep", None),
    Paper("SubLN", 12, 0, 0.13, 0.54, 2.23, "sub", None),
    Paper("No-Norm", 84, 96.4, 0.80, 0.19, 1.11, "none", "none"),
]

# How far from the paper's figure counts as agreement: masses are printed with two digits, and
# seeds move them by a few hundredths.
NEAR_MASS = 0.05
NEAR_RADIUS = 0.25


def ranks(values: list[float]) -> list[float]:
    """From 1; ties share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        for i in order[at:end]:
            found[i] = (at + 1 + end) / 2
        at = end
    return found


def spearman(x: list[float], y: list[float]) -> float:
    """NaN where one of them does not vary."""
    a, b = ranks(x), ranks(y)
    middle = (len(a) + 1) / 2
    cross = sum((p - middle) * (q - middle) for p, q in zip(a, b, strict=True))
    own = sum((p - middle) ** 2 for p in a) * sum((q - middle) ** 2 for q in b)
    return cross / math.sqrt(own) if own else math.nan


TRIPLE = ("near_unit", "expanding", "radius")


def triple(near_unit: float, expanding: float, radius: float) -> str:
    return " / ".join(map(figure, (near_unit, expanding, radius)))


class Sweep:
    def __init__(self, profiles: Iterable[Profile]):
        self.found = {(one.norms, one.setting): one for one in profiles}

    def cell(self, norms: str | None, setting: Setting) -> str:
        """Masses near and above 1, and the radius."""
        one = self.found.get((norms, setting))
        return "not built" if one is None else triple(*(one.mean(key) for key in TRIPLE))

    def blocks(self, norms: Iterable[str], first: int = 0) -> list[dict]:
        return [
            block
            for (name, _), one in self.found.items()
            if name in norms
            for block in one.blocks[first:]
            if block["near_unit"] is not None
        ]


def table_1(ours: Sweep, gpt: Sweep) -> str:
    shapes = ["GPT 128×6", "GPT 256×4", "Ballast 128×6", "Ballast as shipped"]
    rows = []
    for row in TABLE_1:
        cells = [row.name, f"{row.runs}, {row.diverged:g}%"]
        cells += [triple(row.near_unit, row.expanding, row.radius)]
        cells += [gpt.cell(row.gpt, setting) for setting in (PLAIN, WIDE)]
        cells += [ours.cell(row.ours, setting) for setting in (RANDOM, SHIPPED)]
        rows.append(cells)
    return table(["near 1 / above 1 / ρ", "runs, diverged", "paper", *shapes], rows)


def agreement_of(row: Paper, one: Profile) -> str:
    pairs = [
        ("near 1", row.near_unit, one.mean("near_unit"), NEAR_MASS),
        ("above 1", row.expanding, one.mean("expanding"), NEAR_MASS),
        ("ρ", row.radius, one.mean("radius"), NEAR_RADIUS),
    ]
    off = [
        f"{name} {value:.2f} for {paper:.2f}"
        for name, paper, value, slack in pairs
        if abs(value - paper) > slack
    ]
    return "agrees" if not off else "off: " + ", ".join(off)


def agreements(ours: Sweep, gpt: Sweep) -> str:
    rows = []
    for row in TABLE_1:
        cells = [agreement_of(row, gpt.found[row.gpt, setting]) for setting in (PLAIN, WIDE)]
        mine = ours.found.get((row.ours, RANDOM))
        rows.append([row.name, *cells, agreement_of(row, mine) if mine else "not built"])
    return table(["", "GPT 128×6", "GPT 256×4", "Ballast 128×6"], rows)


def near_unit_over(sweep: Sweep, settings: list[Setting], names: list[str]) -> str:
    rows = []
    for norms in NORMS:
        found = [sweep.found[norms, setting] for setting in settings]
        rows.append([norms] + [figure(one.mean("near_unit")) for one in found])
    return table(["near 1", *names], rows)


def noise_over_tokens(sweep: Sweep) -> str:
    rows = []
    for norms in ("pre, RMS", "post, RMS", "none"):
        for key, name in (("near_unit", "near 1"), ("noise_radius", "noise radius")):
            found = [sweep.found[norms, setting] for setting in TOKENS]
            rows.append([f"{norms}: {name}"] + [figure(one.mean(key)) for one in found])
    return table(["tokens", *(f"{setting.tokens:,}" for setting in TOKENS)], rows)


def correlations(ours: Sweep, gpt: Sweep) -> str:
    sets = [
        ("all", ours.blocks(NORMS)),
        ("all but post-norm", ours.blocks([n for n in NORMS if not n.startswith("post")])),
        ("all, without block 0", ours.blocks(NORMS, first=1)),
        *((norms, ours.blocks([norms])) for norms in NORMS),
        ("GPT-shaped, six norms", gpt.blocks([row.gpt for row in TABLE_1])),
    ]
    rows = []
    for name, blocks in sets:
        mass = [block["near_unit"] for block in blocks]
        both = [
            spearman(mass, [block[key] for block in blocks])
            for key in ("whitened_update", "update")
        ]
        rows.append([name, str(len(blocks)), *map(figure, both)])
    return table(["blocks of", "blocks", "with ‖Ỹ−X̃‖/‖X̃‖", "with ‖h₊−h‖/‖h‖"], rows)


def orders(sweep: Sweep) -> tuple[int, int]:
    """Settings in which no norm has more near-unit mass than pre-norm RMS, and all."""
    settings = {setting for _, setting in sweep.found}
    above = sum(
        sweep.found["none", one].mean("near_unit") > sweep.found["pre, RMS", one].mean("near_unit")
        for one in settings
    )
    return above, len(settings)


def span(sweep: Sweep, norms: str) -> str:
    masses = [one.mean("near_unit") for (name, _), one in sweep.found.items() if name == norms]
    return f"{min(masses):.2f} to {max(masses):.2f}"


def block_by_block(profile: Profile, key: str) -> str:
    return ", ".join(figure(block[key]) for block in profile.blocks)


def markdown(ours: list[Profile], gpt: list[Profile]) -> str:
    mine, oracle = Sweep(ours), Sweep(gpt)
    above, of = orders(mine)
    post = [oracle.found["post_layer", setting] for setting in (PLAIN, WIDE)]
    return PAGE.format(
        table_1=table_1(mine, oracle),
        agreements=agreements(mine, oracle),
        near_mass=NEAR_MASS,
        near_radius=NEAR_RADIUS,
        post_near=" and ".join(block_by_block(one, "near_unit") for one in post),
        post_radius=" and ".join(block_by_block(one, "radius") for one in post),
        texts=near_unit_over(mine, TEXTS, ["random bytes", "the Bible"]),
        scales=near_unit_over(mine, SCALES, [f"std {s.init_std:g}" for s in SCALES]),
        above=above,
        of=of,
        span=span(mine, "pre, RMS"),
        sizes=near_unit_over(mine, SIZES, [f"{s.dim}×{s.layers}" for s in SIZES]),
        tokens=noise_over_tokens(mine),
        seeds=near_unit_over(mine, SEEDS, [f"seed {s.seed}" for s in SEEDS]),
        correlations=correlations(mine, oracle),
    )
