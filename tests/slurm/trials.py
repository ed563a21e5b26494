"""Jobs of launch/slurm.sbatch and launch/slurm-srun.sbatch on a real Slurm, stopped by signals and by
their time limit: each must save, be queued again, go on where it was, and end with the state of a run
that nobody disturbed.

    trials.py BALLAST [few|signals|limits|all]

few: three jobs, for every day; signals: 30 on two hosts and 10 on one; limits: one of each script that
meets its limit three times. Ends with 1 if any job lost anything, 77 without the rights for a Slurm.
"""

import itertools
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local_slurm import WAYS, Job, Slurm, until

SCRIPTS = {"mpirun": "launch/slurm.sbatch", "srun": "launch/slurm-srun.sbatch"}
# By hosts. Steps over two take longer: messages, and more ranks than most test machines have cores.
STEPS = {1: 150, 2: 40}
# Most of a trial is waiting for Slurm to start the job again.
AT_ONCE = 3

MODEL = """[model]
dim = 32
layers = 2
heads = 2
kv_heads = 2
ffn = 64
[data]
path = {folder}/text.h5
seq_len = 32
micro_batch = 1
global_batch = 48
[log]
every = 1
[run]
steps = {steps}
"""


def hash_of(text):
    """The state hash that a run printed last."""
    hashes = re.findall(r"^done: step \d+, state hash (\w+)$", text, re.M)
    return hashes[-1] if hashes else None


class Trials:
    def __init__(self, slurm, folder):
        self.slurm = slurm
        self.folder = folder
        self.random = random.Random(16)
        self.count = self.lost = 0
        self.books = threading.Lock()
        lines = "".join(f"{number}\n" for number in range(60000))
        self.ballast("prepare", "--input", "-", "--output", folder / "text.h5", input=lines)

    def ballast(self, *words, **options):
        return subprocess.run([self.slurm.ballast, *map(str, words)], check=True, text=True,
                              stdout=subprocess.PIPE, **options).stdout

    def write_config(self, steps):
        config = self.folder / f"{steps}.ini"
        config.write_text(MODEL.format(folder=self.folder, steps=steps))
        return config

    def undisturbed(self, steps):
        """A configuration of so many steps, and the state hash that one process comes to with it."""
        config = self.write_config(steps)
        said = self.ballast("train", "--config", config, "--run.dir", self.folder / f"alone-{steps}")
        return config, hash_of(said)

    def start(self, launcher, nodes, config, *options):
        with self.books:
            self.count += 1
            run_dir = self.folder / f"run-{self.count}"
        ranks = 1 if nodes == 2 else 2
        return Job(self.slurm, SCRIPTS[launcher], nodes, ranks, config, run_dir, *options)

    def report(self, job, what, good):
        """Prints what became of a job, and counts it if it is not what it should be."""
        facts = job.facts()
        with self.books:
            print(f"{what}: {facts['JobState']}, queued again {facts['Restarts']} time(s), saved at "
                  f"{job.saved()}, went on at {job.resumed()}: {'as undisturbed' if good else 'LOST'}",
                  flush=True)
            if not good:
                self.lost += 1
                print(job.text()[-4000:], flush=True)

    def signaled(self, launcher, nodes, way, moment):
        """`moment`: "start", in its first second, or "step", in the first half of its steps."""
        config, expected = self.references[nodes]
        job = self.start(launcher, nodes, config)
        if moment == "start":
            job.await_start()
            time.sleep(self.random.random())
        else:
            moment = f"step {self.random.randint(2, STEPS[nodes] // 2)}"
            job.await_step(int(moment.split()[1]))
        job.signal(way)
        # To a job whose steps are not there yet Slurm has nothing to signal, and it just goes on.
        may_miss = moment == "start" and way in ("once", "twice")
        facts = job.await_end()
        good = (facts["JobState"] == "COMPLETED" and hash_of(job.text()) == expected
                and (int(facts["Restarts"]) >= 1 or may_miss)
                and job.saved()[:-1] == job.resumed())  # the last is its end
        self.report(job, f"{launcher} on {nodes}, {way} at {moment}", good)

    def run_signaled(self, trials):
        self.references = {nodes: self.undisturbed(steps) for nodes, steps in STEPS.items()}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda trial: self.signaled(*trial), trials))

    def few(self):
        self.run_signaled([("mpirun", 2, "twice", "step"), ("srun", 2, "once", "step"),
                            ("mpirun", 1, "batch", "step")])

    def signals(self):
        self.run_signaled([
            (launcher, nodes, way, moment) for launcher, way in itertools.product(SCRIPTS, WAYS)
            for nodes, moment in [(2, "step"), (2, "step"), (2, "start"), (1, "step")]])

    def limits(self):
        """Jobs without end, which are canceled once their time was over three times: they must not
        come back from that, and what they saved last must be where one process comes to."""
        config = self.write_config(1000000)
        jobs = {launcher: self.start(launcher, 2, config, "--time", 1, "--signal", "B:USR1@20")
                for launcher in SCRIPTS}
        for launcher, job in jobs.items():
            until(lambda: int(job.facts()["Restarts"]) >= 3, f"job {job.id} to run four times")
            job.slurm.run("scancel", job.id)
            facts = job.await_end()
            step, state = job.last_saved()
            said = self.ballast("train", "--config", config, "--run.stop_at", step, "--run.dir",
                                self.folder / f"alone-{launcher}")
            good = (facts["JobState"] == "CANCELED" and hash_of(said) == state
                    and len(job.saved()) >= 3 and job.saved()[:len(job.resumed())] == job.resumed())
            self.report(job, f"{launcher} on 2, time limit", good)

    def all(self):
        self.signals()
        self.limits()


def main(ballast, what="all"):
    with Slurm(Path(ballast).resolve()) as slurm, tempfile.TemporaryDirectory() as folder:
        trials = Trials(slurm, Path(folder))
        getattr(trials, what)()
    print(f"{trials.count} jobs, {trials.lost} lost")
    return 1 if trials.lost else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["few"], ["signals"], ["limits"], ["all"]):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
