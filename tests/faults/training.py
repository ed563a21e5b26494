"""The small training that trials disturb, its jobs, and what it comes to undisturbed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none"]
# Root and more ranks than cores are welcome.
ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_mpi_yield_when_idle": "1", "OPENBLAS_NUM_THREADS": "1",
               "OMPI_MCA_btl_vader_single_copy_mechanism": "none"}

# A job that has not ended by then hangs; most take a second.
PATIENCE_S = 120

# Of a whole training; trials stop earlier, or begin another when they are there.
STEPS = 400

CONFIG = """[model]
dim = 8
layers = 1
heads = 1
kv_heads = 1
ffn = 8
[data]
path = {folder}/text.h5
seq_len = 16
micro_batch = 1
global_batch = 6
[log]
every = 1
[monitor]
every = 5
[run]
steps = {steps}
[checkpoint]
every = 1
resume = true
"""


def until(condition, what):
    """Waits until `condition` returns something, and returns that."""
    end = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {PATIENCE_S} s for {what}")
        time.sleep(0.002)
    return value


def newest_whole(run_dir):
    """The step of the newest checkpoint that has its name and its manifest; 0 if there is none."""
    folders = Path(run_dir, "checkpoints").glob("step-*/manifest.json")
    names = [re.fullmatch(r"step-(\d+)(\.old)?", path.parent.name) for path in folders]
    return max((int(name[1]) for name in names if name), default=0)


class Job:
    """A training under way. `output` gets both its streams."""

    def __init__(self, command, output, environment):
        self.mark = f"{os.getpid()}-{time.monotonic_ns()}"
        self.output = output
        with open(output, "wb") as file:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                env={**os.environ, **ENVIRONMENT, **environment, "FAULT_JOB": self.mark})

    def text(self):
        return Path(self.output).read_text(errors="replace")

    def saved(self):
        """The steps that it said it saved, and their state hashes."""
        return [(int(step), state) for step, state in re.findall(
            r"^saved \S*step-(\d+) \(state (\w+)\)$", self.text(), re.M)]

    def resumed(self):
        """The step at which it went on; 0 for a beginning."""
        steps = re.findall(r"^resumed from .* at step (\d+)$", self.text(), re.M)
        return int(steps[0]) if steps else 0

    def done(self):
        """Step and state hash of its end, None before that."""
        ends = re.findall(r"^done: step (\d+), state hash (\w+)$", self.text(), re.M)
        return (int(ends[0][0]), ends[0][1]) if ends else None

    def trouble(self):
        """The lines that tell of something wrong."""
        words = r"^.*(?:\bwarning\b|\berror\b|ballast: |stopped: | is lost).*$"
        return re.findall(words, self.text(), re.M)

    def has_ended(self):
        return self.process.poll() is not None

    def processes(self):
        """Rank by rank, those that live."""
        mark = f"FAULT_JOB={self.mark}".encode()
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "environ").read_bytes().split(b"\0")
                state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue  # it ended meanwhile, or is not ours
            ranks = [word[21:] for word in words if word.startswith(b"OMPI_COMM_WORLD_RANK=")]
            if mark in words and ranks and state != "Z":
                found[int(ranks[0])] = (int(process.name), state)
        return dict(sorted(found.items()))

    def kill(self, rank):
        """Without a word of warning. False if the rank is not there any more."""
        process = self.processes().get(rank)
        if process:
            os.kill(process[0], signal.SIGKILL)
        return process is not None

    def wait(self):
        """The exit code, once it has ended with all its ranks; None if it hangs, and is ended."""
        try:
            code = self.process.wait(PATIENCE_S)
            until(lambda: not self.processes(), "ranks to end")
            return code
        except (subprocess.TimeoutExpired, TimeoutError):
            for process, _ in self.processes().values():
                os.kill(process, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
            return None


class Training:
    """Starts jobs, and knows the state hash of every step of an undisturbed one."""

    def __init__(self, ballast, folder):
        # Whoever builds it anew meanwhile changes nothing here.
        self.ballast = shutil.copy(ballast, folder / "ballast")
        self.folder = folder
        self.config = folder / "config.ini"
        self.config.write_text(CONFIG.format(folder=folder, steps=STEPS))
        self.text = folder / "text.txt"
        self.text.write_text("".join(f"{number}\n" for number in range(20000)))
        self.call("prepare", "--input", self.text, "--split", "tail",
                  "--output", folder / "text.h5")
        alone = self.start(folder / "alone", 1)
        if alone.wait() != 0:
            sys.exit(alone.text())
        self.hashes = dict(alone.saved())

    def call(self, *words):
        """A command that must succeed; returns what it prints."""
        return subprocess.run([self.ballast, *map(str, words)], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout

    def command(self, run_dir, ranks, *options):
        words = ["train", "--config", self.config, "--run.dir", run_dir, *options]
        return [*MPIRUN, "-n", str(ranks), self.ballast, *map(str, words)]

    def start(self, run_dir, ranks, *options, environment=None, output=None):
        return Job(self.command(run_dir, ranks, *options), output or Path(f"{run_dir}.out"),
                   environment or {})

    def wrong_hashes(self, job):
        """Complaints about states that are not those of the undisturbed run."""
        states = job.saved() + ([job.done()] if job.done() else [])
        return [f"lost: step {step} has another state" for step, state in states
                if self.hashes[step] != state]

    def resume_complaints(self, run_dir, newest, ranks, stop_at):
        """Goes on undisturbed: it must do so from step `newest` and come to the same end."""
        job = self.start(run_dir, ranks, "--run.stop_at", stop_at, output=f"{run_dir}.resumed")
        code = job.wait()
        if code is None:
            return ["hang: of the job that resumed"]
        if code != 0 or not job.done():
            return [f"lost: the job that resumed ended with {code}: {job.text()[-2000:]}"]
        complaints = self.wrong_hashes(job)
        if job.resumed() != newest:
            complaints.append(f"lost: went on from step {job.resumed()}, not from {newest}")
        return complaints
