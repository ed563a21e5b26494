"""Ranks killed with SIGKILL, in one run directory again and again, each time resumed on another
number of ranks: whatever the moment, no checkpoint that was told of is lost, the next job goes on
from the newest that is whole, every state is that of an undisturbed run, nothing lies around."""

import random
import re
import time
from concurrent.futures import ThreadPoolExecutor

from training import STEPS, newest_whole, until

# Renames of a save, in their order: a part of each one's "FROM -> TO".
RENAMES = {"manifest": "/manifest.json", "latest": "/latest", "folder": ".tmp -> "}
# What a run directory holds after a good end.
KEPT = {"alerts.jsonl", "checkpoints", "config.resolved.ini", "gemm_table.txt", "latest", "lock",
        "log.jsonl", "monitor.jsonl", "train.log"}
# Jobs at a time: most of one is waiting for its start.
AT_ONCE = 2


class Chain:
    """One run directory, one job after the other."""

    def __init__(self, training, faults, books, number):
        self.training = training
        self.faults = faults
        self.books = books
        self.random = random.Random(number)
        self.name = f"chain-{number}"
        self.runs = 0
        self.begin()

    def begin(self):
        self.runs += 1
        self.run_dir = self.training.folder / f"{self.name}-{self.runs}"
        self.newest = 0

    # Moments: each waits for its own, kills a rank, and says what it was; None if it came too late.

    def any_moment(self, job, ranks):
        if self.random.random() < 0.25:
            until(lambda: job.has_ended() or len(job.processes()) == ranks, "ranks")
            time.sleep(self.random.random() * 0.8)
        else:
            saves = self.random.randint(1, 10)
            until(lambda: job.has_ended() or len(job.saved()) >= saves, f"{saves} saves")
            time.sleep(self.random.random() * 0.03)
        return self.killed(job, ranks, "at any moment")

    def within_a_save(self, job, ranks):
        saves = self.random.randint(1, 5)
        until(lambda: job.has_ended() or len(job.saved()) >= saves, f"{saves} saves")
        until(lambda: job.has_ended() or self.unfinished(), "a save")
        time.sleep(self.random.random() * 0.006)
        killed = self.killed(job, ranks, "within a save")
        until(job.has_ended, "its end")
        return killed if self.unfinished() else None

    def before_a_rename(self, job, ranks):
        until(lambda: job.has_ended() or "T" in [state for _, state in job.processes().values()],
              "the rename")
        return self.killed(job, ranks, f"before the rename of the {self.rename}")

    def killed(self, job, ranks, what):
        rank = self.random.randrange(ranks)
        return f"rank {rank} of {ranks} {what}" if job.kill(rank) else None

    def unfinished(self):
        return list((self.run_dir / "checkpoints").glob("step-*.tmp"))

    def environment(self, moment):
        """Where a rank has to stop by itself, so that the moment is met."""
        if moment != self.before_a_rename:
            return {}
        self.rename = self.random.choice(list(RENAMES))
        return self.faults.environment(RENAMES[self.rename], call="rename", mode="stop",
                                       at=self.random.randint(2, 6))

    def trial(self, subject):
        """Returns whether the moment was met."""
        moment = getattr(self, subject)
        ranks = self.random.choice([1, 2, 2, 3])
        job = self.training.start(self.run_dir, ranks, environment=self.environment(moment),
                                  output=self.training.folder / f"{self.name}.out")
        what = moment(job, ranks)
        complaints = self.judge(job, job.wait(), what)
        if what or complaints:
            self.books.enter(f"kills {subject}", what or f"{ranks} ranks", complaints)
        if self.newest > STEPS - 30:
            self.end()
        return what is not None

    def judge(self, job, code, what):
        if code is None:
            return ["hang: it had to be ended"]
        complaints = self.training.wrong_hashes(job)
        started = "\njob: " in job.text()
        if started and job.resumed() != self.newest:
            complaints.append(f"lost: went on from step {job.resumed()}, not from {self.newest}")
        told = max((step for step, _ in job.saved()), default=self.newest)
        newest = newest_whole(self.run_dir)
        if newest < told:
            complaints.append(f"lost: step {told} was saved, the newest is {newest}")
        if what is None and code not in (0, 137):
            complaints.append(f"lost: ended with {code}, undisturbed: {job.text()[-2000:]}")
        self.newest = newest
        return complaints

    def end(self):
        """The run to its end, undisturbed; then another begins."""
        complaints = self.training.resume_complaints(self.run_dir, self.newest, 2, STEPS)
        names = {path.name for path in self.run_dir.iterdir()}
        folders = [path.name for path in (self.run_dir / "checkpoints").iterdir()]
        strange = sorted(names - KEPT) + [name for name in folders
                                          if not re.fullmatch(r"step-\d+", name)]
        complaints += [f"lost: {name} was left behind" for name in strange]
        self.books.enter("kills end of the run", self.run_dir.name, complaints)
        self.begin()


def run(training, faults, books, counts):
    """`counts`: trials by the moment that they kill in."""
    def work(number):
        chain = Chain(training, faults, books, number)
        for subject, count in counts.items():
            met = 0
            while met < -(-count // AT_ONCE):
                met += chain.trial(subject)
        chain.end()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, range(AT_ONCE)))


FEW = {"any_moment": 2, "within_a_save": 2, "before_a_rename": 2}
ALL = {"any_moment": 300, "within_a_save": 150, "before_a_rename": 50}
