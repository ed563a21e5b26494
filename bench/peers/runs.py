"""Starts trainings, ballast's and the peers', and reads what they log."""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from machine import cores, tcmalloc
from points import Point
from shapes import OPTIMIZER, SEED, Case

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "memory")]
from host_memory import children, proportional_set_size, steps_logged  # noqa: E402

LIMIT_S = 1800
MIB = 1 << 20


class RunFailed(Exception):
    """The last lines of what a training said."""


@dataclass(frozen=True)
class Length:
    """Steps of a run; those of the warm-up do not count. Memory is read in those watched, which
    come last: who looks, disturbs."""

    warm_up: int
    timed: int
    watched: int = 0

    @property
    def steps(self) -> int:
        return self.warm_up + self.timed + self.watched

    def is_watched(self, steps_done: int) -> bool:
        return self.warm_up + self.timed <= steps_done < self.steps


@dataclass
class Run:
    tokens_per_s: float
    step_s: float
    comm_share: float  # of the step: waiting for others and moving bytes
    losses: list[float] = field(default_factory=list)
    pss_mib: float | None = None  # the largest sum seen in a watched step, over ranks
    empty_mib: float = 0.0  # of a peer's ranks before there was a model: Python, torch, gloo

    def to_json(self) -> dict:
        return asdict(self)


def clean_environment(**extra: str) -> dict[str, str]:
    dropped = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "LD_PRELOAD", "THP_MEM_ALLOC_ENABLE")
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    return kept | extra


def summary(log: Path, length: Length) -> Run:
    records = [json.loads(line) for line in log.read_text().splitlines()]
    if len(records) != length.steps:
        raise RunFailed(f"{len(records)} of {length.steps} steps were logged")
    timed = records[length.warm_up : length.warm_up + length.timed]
    return Run(
        tokens_per_s=statistics.median(r["tokens_per_s"] for r in timed),
        step_s=statistics.median(r["step_s"] for r in timed),
        comm_share=statistics.median(r["comm_exposed_s"] / r["step_s"] for r in timed),
        losses=[r["loss"] for r in records],
        empty_mib=records[0].get("pss_before_model", 0) / MIB,
    )


def last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line]
    return (errors or lines or ["without a word"])[-1][:300]


def watch(jobs: list[subprocess.Popen], ranks, folder: Path, length: Length) -> float:
    """Waits for all jobs; returns the MiB of the largest sum of the ranks' proportional set sizes
    in the watched steps."""
    peak, deadline = 0, time.monotonic() + LIMIT_S
    while any(job.poll() is None for job in jobs):
        if time.monotonic() > deadline:
            raise RunFailed(f"not done after {LIMIT_S} s")
        if any(job.poll() not in (None, 0) for job in jobs):
            break
        watched = length.watched > 0 and length.is_watched(steps_logged(folder))
        if watched:
            try:
                peak = max(peak, sum(proportional_set_size(process) for process in ranks()))
            except (OSError, TypeError):
                pass  # a rank has just ended
        time.sleep(0.01 if watched else 0.1)
    return peak / MIB


def end(jobs: list[subprocess.Popen]) -> None:
    for job in jobs:
        if job.poll() is None:
            job.terminate()
    for job in jobs:
        try:
            job.wait(timeout=20)
        except subprocess.TimeoutExpired:
            job.kill()
            job.wait()


def run_jobs(commands: list[tuple[list, dict]], ranks_of, folder: Path, length: Length) -> Run:
    """`commands`: each with its environment. Their output goes to a file, read if they fail."""
    jobs: list[subprocess.Popen] = []
    output = folder / "output.txt"
    with output.open("w") as out:
        try:
            for command, environment in commands:
                jobs.append(
                    subprocess.Popen(
                        [str(word) for word in command], env=environment, stdout=out, stderr=out
                    )
                )
            peak = watch(jobs, lambda: ranks_of(jobs), folder, length)
        finally:
            end(jobs)
    if any(job.returncode != 0 for job in jobs):
        raise RunFailed(last_words(output.read_text(errors="replace")))
    run = summary(folder / "log.jsonl", length)
    run.pss_mib = peak if length.watched else None
    return run


def run_ballast(
    build: Path,
    case: Case,
    dataset: Path,
    folder: Path,
    length: Length,
    keys: list[str],
) -> Run:
    """`keys`: as on ballast's command line. With parallel.threads among them it has so many fewer
    ranks, each with the tokens and the cores of those that it stands for."""
    shape = case.shape
    threads = int(dict(zip(keys[::2], keys[1::2])).get("--parallel.threads", 1))
    if case.ranks % threads != 0:
        raise RunFailed(f"{case.ranks} ranks are not a multiple of {threads} threads")
    settings = {
        "model.dim": shape.dim,
        "model.layers": shape.layers,
        "model.heads": shape.heads,
        "model.kv_heads": shape.heads,
        "model.ffn": shape.ffn,
        "data.path": dataset,
        "data.seq_len": case.seq_len,
        "data.micro_batch": threads * (case.tokens // case.seq_len),
        "data.global_batch": case.sequences,
        "precision.param": case.precision,
        "schedule.kind": "constant",
        "schedule.warmup": 0,
        "run.dir": folder,
        "run.seed": SEED,
        "run.steps": length.steps,
        "log.every": 1,
    } | {f"optim.{key}": value for key, value in OPTIMIZER.items()}
    places = "core" if threads == 1 else f"slot:PE={threads}"
    command = ["mpirun", "-n", case.ranks // threads, "--map-by", places, "--bind-to", "core"]
    if os.geteuid() == 0:
        command.append("--allow-run-as-root")
    command += [build / "ballast", "train"]
    command += [word for key, value in settings.items() for word in (f"--{key}", value)] + keys
    environment = clean_environment(OMP_NUM_THREADS="1")
    return run_jobs(
        [(command, environment)], lambda jobs: children(jobs[0].pid, "ballast"), folder, length
    )


def peer_environment(point: Point, rank: int) -> dict[str, str]:
    extra = {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(point.ranks),
        "OMP_NUM_THREADS": str(point.threads),
        "GLOO_SOCKET_IFNAME": "lo",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if point.system == "deepspeed":
        extra["DS_ACCELERATOR"] = "cpu"
    if point.allocator == "thp":
        extra["THP_MEM_ALLOC_ENABLE"] = "1"
    elif point.allocator == "tcmalloc":
        if (library := tcmalloc()) is None:
            raise RunFailed("there is no libtcmalloc on this machine")
        extra["LD_PRELOAD"] = library
    return clean_environment(**extra)


def run_peer(
    python: str,
    case: Case,
    point: Point,
    dataset: Path,
    weights: Path,
    folder: Path,
    length: Length,
) -> Run:
    """Ranks are bound to cores of their own, as mpirun binds ballast's, while there are any."""
    request = {
        "case": asdict(case),
        "point": asdict(point),
        "dataset": str(dataset),
        "weights": str(weights),
        "steps": length.steps,
    }
    file = folder / "request.json"
    file.write_text(json.dumps(request))
    available, commands = cores(), []
    for rank in range(point.ranks):
        first = rank * point.threads
        own = {at % len(available) for at in range(first, first + point.threads)}
        cpus = ",".join(str(cpu) for core in sorted(own) for cpu in available[core])
        command = ["taskset", "-c", cpus, python, HERE / "worker.py", file]
        commands.append((command, peer_environment(point, rank)))
    return run_jobs(commands, lambda jobs: [job.pid for job in jobs], folder, length)
