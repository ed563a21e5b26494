"""Trainings that are killed, whose disks fail, whose checkpoints are damaged: nothing may be lost.

    trials.py BALLAST [few|kills|disks|flips|all]

Each trial compares state hashes with those of a run that nobody disturbed. few: some of each, for
every day; kills: 500 jobs whose ranks are killed; disks: full, failing and read-only ones, under
saves, logs, prepare and the output of commands; flips: every byte of a checkpoint, all truncations,
10,000 bits of a larger one. Ends with 1 if anything was lost, hung, or failed without a word.
"""

import os
import sys
import tempfile
from pathlib import Path

import disks
import flips
import kills
from books import Books
from fault_point import FaultPoint
from training import Training

PARTS = {"kills": kills, "disks": disks, "flips": flips}
IN_OWN_MOUNTS = "BALLAST_FAULTS_MOUNTS"


def enter_own_mounts():
    """Disks are mounted where no other process sees them, and are gone with this one."""
    if IN_OWN_MOUNTS not in os.environ:
        os.environ[IN_OWN_MOUNTS] = "1"
        words = ["unshare", "--map-root-user", "--mount", sys.executable, "-B", *sys.argv]
        os.execvp(words[0], words)


def main(ballast, what="all"):
    books = Books()
    with tempfile.TemporaryDirectory() as folder:
        training = Training(Path(ballast).resolve(), Path(folder))
        faults = FaultPoint(Path(folder))
        for name, part in PARTS.items():
            if what in ("few", "all", name):
                part.run(training, faults, books, part.FEW if what == "few" else part.ALL)
    return 0 if books.close() else 1


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or (sys.argv + ["all"])[2] not in ("few", "all", *PARTS):
        sys.exit(__doc__)
    enter_own_mounts()
    sys.exit(main(*sys.argv[1:]))
