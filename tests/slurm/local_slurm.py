"""A Slurm of two hosts on this machine, the jobs it runs, and what became of them."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "cluster/slurm-local.sh"

# A job that has not ended by then hangs; most take a few seconds.
PATIENCE_S = 300

OVER = ("COMPLETED", "FAILED", "CANCELED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY")


def until(condition, what):
    """Waits until `condition` returns something, and returns that."""
    end = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {PATIENCE_S} s for {what}")
        time.sleep(0.02)
    return value


class Slurm:
    """Up while the `with` block lasts."""

    def __init__(self, ballast):
        self.ballast = ballast

    def __enter__(self):
        started = subprocess.run([SCRIPT, "up", "2"], stdout=subprocess.PIPE, text=True)
        if started.returncode != 0:
            sys.exit(started.returncode)
        self.folder = started.stdout.strip()
        return self

    def __exit__(self, *_):
        subprocess.run([SCRIPT, "down", self.folder], check=True)

    def run(self, *words):
        """A command of Slurm on its first host; returns what it prints."""
        # Root is who Slurm's daemons need; Open MPI wants to be told. Cores are shared with others.
        environment = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                       "OMPI_MCA_mpi_yield_when_idle": "1", "BALLAST": str(self.ballast),
                       "MPIRUN_FLAGS": "--bind-to none --oversubscribe"}
        return subprocess.run([SCRIPT, "on", self.folder, *map(str, words)], cwd=ROOT, check=True,
                              env={**os.environ, **environment}, stdout=subprocess.PIPE,
                              text=True).stdout


class Job:
    """A training that was submitted; `run_dir` is where it logs and saves."""

    def __init__(self, slurm, script, nodes, ranks, config, run_dir, *options):
        self.slurm = slurm
        self.run_dir = Path(run_dir)
        self.output = Path(f"{run_dir}.out")
        said = slurm.run("sbatch", "--parsable", "--nodes", nodes, "--ntasks-per-node", ranks,
                         "--output", self.output, *options, script, config, "--run.dir", run_dir)
        self.id = said.strip()

    def facts(self):
        """What scontrol says of it: {"JobState": "RUNNING", "Restarts": "0", ...}."""
        return dict(re.findall(r"(\w+)=(\S+)", self.slurm.run("scontrol", "show", "job", self.id)))

    def text(self):
        """Its output so far, of all its slices."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def saved(self):
        """The steps that it saved, in their order."""
        return re.findall(r"^saved \S*step-(\d+) ", self.text(), re.M)

    def last_saved(self):
        """Step and state hash."""
        return re.findall(r"^saved \S*step-(\d+) \(state (\w+)\)", self.text(), re.M)[-1]

    def resumed(self):
        """The steps at which it went on."""
        return re.findall(r"^resumed from .* at step (\d+)$", self.text(), re.M)

    def await_start(self):
        until(self.output.exists, f"job {self.id} to start")

    def await_step(self, step):
        log = self.run_dir / "log.jsonl"

        def reached():
            if log.exists() and f'"step":{step},' in log.read_text():
                return True
            return self.facts()["JobState"] in OVER
        until(reached, f"step {step}")

    def await_end(self):
        """Returns its facts once it is neither running nor about to run."""
        def ended():
            facts = self.facts()
            return facts if facts["JobState"] in OVER else None
        return until(ended, f"job {self.id} to end")

    def ranks(self):
        """The processes of its ranks; hosts are namespaces of the network, not of processes."""
        mine = f"SLURM_JOB_ID={self.id}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "exe") != str(self.slurm.ballast):
                    continue
                if mine in (process / "environ").read_bytes().split(b"\0"):
                    found.append(int(process.name))
            except OSError:
                pass  # it ended meanwhile
        return found

    def signal(self, how):
        """SIGUSR1 in one of the ways of WAYS."""
        WAYS[how](self)


def scancel(job, *options):
    job.slurm.run("scancel", *options, "--signal", "USR1", job.id)


def to_each_rank(job):
    for process in until(job.ranks, "ranks"):
        os.kill(process, signal.SIGUSR1)


WAYS = {
    "once": scancel,
    "twice": lambda job: (scancel(job), scancel(job)),
    "batch": lambda job: scancel(job, "--batch"),
    "full": lambda job: scancel(job, "--full"),
    "ranks": to_each_rank,
}
