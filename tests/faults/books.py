"""What came of trials: each is without complaint, or has some that begin with their kind."""

import threading
from collections import Counter

# lost: a state, a step, a line or a right answer; hang; silent: something failed without a word.
KINDS = ("lost", "hang", "silent")


class Books:
    """Counts by subject; usable from several threads."""

    def __init__(self):
        self.trials = Counter()
        self.complaints = Counter()
        self.lock = threading.Lock()

    def enter(self, subject, what, complaints=()):
        """Counts a trial and prints what was wrong with it."""
        with self.lock:
            self.trials[subject] += 1
            for complaint in complaints:
                kind = complaint.partition(":")[0]
                self.complaints[subject, kind if kind in KINDS else "lost"] += 1
                print(f"{subject}: {what}: {complaint}", flush=True)

    def close(self):
        """Prints the figures; returns whether there was nothing to complain about."""
        for subject, count in self.trials.items():
            figures = ", ".join(f"{self.complaints[subject, kind]} {kind}" for kind in KINDS)
            print(f"{subject}: {count} trials, {figures}", flush=True)
        return not self.complaints
