"""Runs the trainings of a plan, several at once, each on a core of its own; goes on where it was.

A run's folder is that of the training (log.jsonl, monitor.jsonl, alerts.jsonl), with run.json (its
entry of the plan), output.txt, and done.json once it has ended. Checkpoints go when it has.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from damage import damage_dataset
from plans import Run, run_of

UNSTABLE, RUN_AGAIN = 4, 75  # exit codes of ballast: given up or stopped by an alert; interrupted
CHECKPOINT_EVERY = 200
GRACE_S = 15.0  # for a training to save itself when time is up
POLL_S = 0.2


@dataclass(frozen=True)
class Place:
    ballast: Path
    data: Path
    out: Path

    def folder(self, run: Run) -> Path:
        return self.out / run.name

    def text(self, run: Run) -> Path:
        return self.folder(run) / "data.h5" if run.damage else self.data


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    # A single rank needs no mpirun: MPI starts as a singleton.
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return kept | root | {"OMP_NUM_THREADS": "1"}


def share_of_processors() -> int | None:
    """What a container may use of more processors than that, which are then not its own."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return None if quota == "max" else max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return None


def processors() -> list[int | None]:
    """One of each core first, then their siblings. None: whichever is free."""
    sys.path.append(str(Path(__file__).resolve().parents[1] / "peers"))
    from machine import cores  # pylint: disable=import-outside-toplevel

    groups = cores()
    widest = max(len(group) for group in groups)
    found = [group[i] for i in range(widest) for group in groups if i < len(group)]
    share = share_of_processors()
    return found if share is None or share >= len(found) else [None] * share


def steps_logged(folder: Path) -> int:
    try:
        with (folder / "log.jsonl").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 4096))
            last = log.read().splitlines()[-1]
        return int(json.loads(last)["step"])
    except (OSError, IndexError, ValueError, KeyError):
        return 0


def is_done(folder: Path) -> bool:
    return (folder / "done.json").exists()


def write_json(path: Path, value) -> None:
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(value) + "\n")
    os.replace(beside, path)


def keys_of(run: Run, stage: int, place: Place) -> dict[str, str]:
    return (
        {
            "data.path": str(place.text(run)),
            "run.dir": str(place.folder(run)),
            "checkpoint.every": str(CHECKPOINT_EVERY),
            "checkpoint.keep": "1",
            "checkpoint.resume": "true",
            "log.every": "1",
        }
        | run.keys
        | run.stages[stage].keys
        | {"run.stop_at": str(run.stages[stage].until)}
    )


class Training:
    """One run at work on one processor."""

    def __init__(self, run: Run, place: Place, processor: int | None):
        self.run, self.place, self.processor = run, place, processor
        self.folder = place.folder(run)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._forget_another_plan()
        if run.damage:
            damage_dataset(place.data, place.text(run), run)
        stages = run.stages
        self.stage = next(
            (i for i, s in enumerate(stages) if not self._mark(i).exists()), len(stages) - 1
        )
        self.started_s = time.monotonic()
        self.job = self._start()

    def _forget_another_plan(self) -> None:
        """What a run of this name left that had other keys, or that failed, is no beginning."""
        entry, known = asdict(self.run), self.folder / "run.json"
        is_same = known.exists() and run_of(json.loads(known.read_text())) == self.run
        if not is_same or (self.folder / "failed.json").exists():
            shutil.rmtree(self.folder)
            self.folder.mkdir()
            write_json(known, entry)

    def _mark(self, stage: int) -> Path:
        return self.folder / f"stage-{stage}.done"

    def _start(self) -> subprocess.Popen:
        pin = [] if self.processor is None else ["taskset", "-c", str(self.processor)]
        words = [*pin, str(self.place.ballast), "train"]
        for key, value in keys_of(self.run, self.stage, self.place).items():
            words += [f"--{key}", value]
        with (self.folder / "output.txt").open("a") as out:
            return subprocess.Popen(words, env=environment(), stdout=out, stderr=out)

    def poll(self) -> str:
        """ "running", "done", "failed" or "interrupted"; goes on to the next stage by itself."""
        code = self.job.poll()
        if code is None:
            return "running"
        if code == RUN_AGAIN:
            return "interrupted"
        if code not in (0, UNSTABLE):
            write_json(self.folder / "failed.json", {"exit_code": code})
            return "failed"
        self._mark(self.stage).touch()
        if code == 0 and self.stage + 1 < len(self.run.stages):
            self.stage += 1
            self.job = self._start()
            return "running"
        self._finish(code)
        return "done"

    def _finish(self, code: int) -> None:
        shutil.rmtree(self.folder / "checkpoints", ignore_errors=True)
        for name in ("latest", "lock", "data.h5"):
            (self.folder / name).unlink(missing_ok=True)
        write_json(self.folder / "done.json", {"exit_code": code})

    def last_words(self) -> str:
        text = (self.folder / "output.txt").read_text(errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        return lines[-1][:300] if lines else "without a word"

    def interrupt(self) -> None:
        if self.job.poll() is None:
            self.job.terminate()

    def end(self, deadline_s: float) -> None:
        """Waits for it; what it had finished in the last moment is seen by the next call."""
        try:
            self.job.wait(timeout=max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.job.kill()
            self.job.wait()


class Progress:
    """How far all runs together are, in expected seconds of a core."""

    def __init__(self, runs: list[Run], place: Place, limit_s: float | None):
        self.runs, self.place, self.limit_s = runs, place, limit_s
        self.start_s, self.said_s = time.monotonic(), 0.0
        self.done_before_s = self._done_s()
        self.all_s = sum(run.cost_s() for run in runs)

    def _done_s(self) -> float:
        total = 0.0
        for run in self.runs:
            folder = self.place.folder(run)
            total += run.cost_s() if is_done(folder) else steps_logged(folder) * run.step_s
        return total

    def say(self, every_s: float) -> None:
        now = time.monotonic()
        if now - self.said_s < every_s:
            return
        self.said_s = now
        done_s, elapsed_s = self._done_s(), now - self.start_s
        rate = (done_s - self.done_before_s) / elapsed_s if elapsed_s > 0 else 0.0
        left = f"{(self.all_s - done_s) / rate / 60:.1f} min left" if rate > 0 else "starting"
        finished = sum(is_done(self.place.folder(run)) for run in self.runs)
        limit = f" of {self.limit_s:.0f}" if self.limit_s else ""
        print(
            f"{finished}/{len(self.runs)} runs, {100 * done_s / self.all_s:.0f}% of the work, "
            f"{elapsed_s:.0f}{limit} s, {left}",
            flush=True,
        )


def in_order(runs: list[Run], place: Place) -> list[Run]:
    """Those begun first, then the longest: at the end no core waits long for another."""
    waiting = [run for run in runs if not is_done(place.folder(run))]
    return sorted(waiting, key=lambda r: (-steps_logged(place.folder(r)), -r.cost_s()))


@contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Fills up with the signals that asked to stop."""
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda n, _: asked.append(n))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_all(runs: list[Run], place: Place, jobs: int, limit_s: float | None = None) -> bool:
    """True once every run is done. Ends by itself before `limit_s` seconds have passed."""
    place.out.mkdir(parents=True, exist_ok=True)
    free, queue = (processors() * jobs)[:jobs], in_order(runs, place)
    at_work: list[Training] = []
    progress = Progress(runs, place, limit_s)
    deadline_s = progress.start_s + limit_s - GRACE_S if limit_s else float("inf")
    with stop_requests() as asked:
        while (queue or at_work) and not asked and time.monotonic() < deadline_s:
            while queue and free:
                at_work.append(Training(queue.pop(0), place, free.pop(0)))
            time.sleep(POLL_S)
            at_work = [t for t in at_work if not has_ended(t, free)]
            progress.say(10.0)
        interrupt_all(at_work)
    progress.say(0.0)
    return all(is_done(place.folder(run)) for run in runs)


def interrupt_all(at_work: list[Training]) -> None:
    """All at once: each saves where it is."""
    for training in at_work:
        training.interrupt()
    deadline_s = time.monotonic() + GRACE_S
    for training in at_work:
        training.end(deadline_s)


def has_ended(training: Training, free: list[int]) -> bool:
    """Gives its processor back if it has."""
    outcome = training.poll()
    if outcome == "running":
        return False
    free.append(training.processor)
    if outcome == "failed":
        print(f"{training.run.name} failed: {training.last_words()}", flush=True)
    return True
