"""Networks before their first step: which ones, and how their spectra are had."""

import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

Keys = dict[str, str]

NORMS: dict[str, Keys] = {
    "pre, layer": {"model.norm_placement": "pre", "model.norm": "layer"},
    "pre, RMS": {"model.norm_placement": "pre", "model.norm": "rms"},
    "pre, RMS, QK-norm": {
        "model.norm_placement": "pre",
        "model.norm": "rms",
        "model.qk_norm": "true",
    },
    "post, layer": {"model.norm_placement": "post", "model.norm": "layer"},
    "post, RMS": {"model.norm_placement": "post", "model.norm": "rms"},
    "none": {"model.norm_placement": "none"},
}


@dataclass(frozen=True)
class Setting:
    """What a table has a column for."""

    dim: int = 128
    layers: int = 6
    init_std: float = 0.02
    residual: str = "depth"  # "depth": outputs at init_std/√(2L); "plain": as all others
    tokens: int = 2048
    seed: int = 1
    text: str = "given"  # or "random": bytes without any order

    def keys(self) -> Keys:
        scale = math.sqrt(2 * self.layers) if self.residual == "plain" else 1.0
        return {
            "model.dim": str(self.dim),
            "model.layers": str(self.layers),
            "model.heads": "4",
            "model.kv_heads": "4",
            "model.ffn": str(8 * self.dim // 3),
            "model.init_std": repr(self.init_std),
            "model.init_depth_scale": repr(scale),
            "data.seq_len": "64",
            "data.micro_batch": "16",
            "data.global_batch": "512",
            "monitor.tokens": str(self.tokens),
            "run.seed": str(self.seed),
        }


# PyTorch's nn.Linear starts uniform, with this spread for so many inputs.
def linear_default(dim: int) -> float:
    return round(1 / math.sqrt(3 * dim), 4)


PLAIN = Setting(residual="plain")
RANDOM = Setting(residual="plain", text="random")
TEXTS = [RANDOM, PLAIN]
WIDE = Setting(dim=256, layers=4, residual="plain")
SHIPPED = Setting()
SCALES = [
    Setting(init_std=0.005, residual="plain"),
    PLAIN,
    Setting(init_std=linear_default(128), residual="plain"),
    Setting(init_std=0.1, residual="plain"),
]
SIZES = [
    Setting(dim=64, residual="plain"),
    PLAIN,
    Setting(layers=12, residual="plain"),
    WIDE,
    Setting(dim=512, layers=4, residual="plain"),
]
TOKENS = [Setting(tokens=n, residual="plain") for n in (256, 512, 2048, 8192, 32768)]
SEEDS = [Setting(seed=n, residual="plain") for n in (1, 2, 3)]
SETTINGS = list(dict.fromkeys([SHIPPED, *TEXTS, *SCALES, *SIZES, *TOKENS, *SEEDS]))


@dataclass(frozen=True)
class Profile:
    """One network before its first step, by block."""

    norms: str
    setting: Setting
    blocks: tuple[dict, ...]  # keys of monitor.jsonl, and whitened_update

    def mean(self, key: str, first: int = 0) -> float:
        blocks = [b for b in self.blocks[first:] if b.get("status", "ok") != "identity"]
        values = [block[key] for block in blocks if block[key] is not None]
        return sum(values) / len(values) if values else math.nan


def environment() -> dict[str, str]:
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return dict(os.environ) | root | {"OMP_NUM_THREADS": "1"}


def output_of(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}: {done.stderr}")
    return done.stdout


def blocks_of(profile: dict) -> tuple[dict, ...]:
    lists = profile["spectrum"] | {"update": profile["update"]}
    layers = len(profile["update"])
    return tuple({key: values[block] for key, values in lists.items()} for block in range(layers))


def prepare_random(ballast: Path, folder: Path) -> Path:
    text, data = folder / "random.txt", folder / "random.h5"
    text.write_bytes(random.Random(1).randbytes(2_000_000))
    output_of([str(ballast), "prepare", str(text), "--output", str(data)])
    return data


def profile_of(ballast: Path, data: Path, norms: str, setting: Setting) -> Profile:
    keys = {"data.path": str(data)} | setting.keys() | NORMS[norms]
    with TemporaryDirectory() as folder:
        out = Path(folder) / "profile.json"
        words = [word for key, value in keys.items() for word in (f"--{key}", value)]
        output_of([str(ballast), "monitor", "profile", *words, "--output", str(out)])
        return Profile(norms, setting, blocks_of(json.loads(out.read_text())))


def gpt_profiles(program: Path, setting: Setting) -> list[Profile]:
    shape = [str(setting.dim), str(setting.layers), repr(setting.init_std)]
    lines = output_of([str(program), *shape]).splitlines()
    found = [json.loads(line) for line in lines]
    return [Profile(one["norms"], setting, tuple(one["blocks"])) for one in found]


def run_all(build: Path, given: Path, say: Callable[[str], None]) -> tuple[list, list]:
    """Of Ballast, and of the GPT-shaped network."""
    ballast = build / "ballast"
    ours, gpt = [], []
    for setting in (PLAIN, WIDE):
        say(f"GPT-shaped, {setting}")
        gpt += gpt_profiles(build / "gpt_spectra", setting)
    with TemporaryDirectory() as folder:
        texts = {"given": given, "random": prepare_random(ballast, Path(folder))}
        for setting in SETTINGS:
            say(f"{setting}")
            data = texts[setting.text]
            ours += [profile_of(ballast, data, norms, setting) for norms in NORMS]
    return ours, gpt
