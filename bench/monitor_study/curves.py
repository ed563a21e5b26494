"""What a training wrote, as numbers."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from plans import Run, run_of

NAN = math.nan


@dataclass(frozen=True)
class Record:
    step: int
    loss: float  # NaN: was not finite
    grad_norm: float
    lr: float
    step_s: float = NAN
    loss_scale: float = 1.0


@dataclass(frozen=True)
class Alert:
    step: int
    kind: str
    severity: str


@dataclass(frozen=True)
class Probe:
    """Of the tokens of a step."""

    step: int
    risk: float  # NaN: none was given
    features: dict[str, float]
    attention_logit: list[float]
    rms: list[float]


@dataclass(frozen=True)
class Trail:
    """One run, as its folder has it."""

    run: Run
    records: list[Record]
    probes: list[Probe]
    alerts: list[Alert]
    gave_up: bool  # ended by the guard against updates that are not finite


def number(value) -> float:
    return NAN if value is None else float(value)


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def record_of(line: dict) -> Record:
    values = [number(line.get(key)) for key in ("loss", "grad_norm", "lr", "step_s")]
    return Record(line["step"], *values, line.get("loss_scale", 1.0))


def probe_of(line: dict) -> Probe:
    return Probe(
        line["step"],
        number(line["risk"]),
        {name: number(value) for name, value in line["features"].items()},
        [number(value) for value in line["attention_logit"]],
        [number(value) for value in line["rms"]],
    )


def is_used(line: dict) -> bool:
    """Of a step's own tokens, and its update was not skipped: the monitor passes over these."""
    return line["source"] == "live" and line["features"]["gradient_norm"] is not None


def read_trail(folder: Path) -> Trail:
    probes = [p for p in lines_of(folder / "monitor.jsonl") if is_used(p)]
    alerts = lines_of(folder / "alerts.jsonl")
    done = json.loads((folder / "done.json").read_text())
    return Trail(
        run_of(json.loads((folder / "run.json").read_text())),
        [record_of(line) for line in lines_of(folder / "log.jsonl")],
        [probe_of(line) for line in probes],
        [Alert(a["step"], a["kind"], a["severity"]) for a in alerts],
        done["exit_code"] != 0,
    )


def read_all(out: Path) -> list[Trail]:
    """All finished runs of a study, by name."""
    trails = [read_trail(done.parent) for done in sorted(out.glob("*/done.json"))]
    if not trails:
        raise SystemExit(f"{out}: holds no finished run; 'study.py run' makes them")
    return trails
