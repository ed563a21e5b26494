"""Disks that are full, that fail or that take no writes, under saves, logs, datasets, pages and the
output of commands. Nothing hangs, nothing fails without a word, a training goes on, what was saved
before is whole, and who resumes from it comes to the state of an undisturbed run."""

import random
from concurrent.futures import ThreadPoolExecutor

import disk_files
import disk_runs

AT_ONCE = 2


def run(training, faults, books, counts):
    """`counts`: trials by subject."""
    subjects = {**disk_runs.SUBJECTS, **disk_files.SUBJECTS}

    def work(trial):
        subject, number, count = trial
        folder = training.folder / f"{subject}-{number}"
        folder.mkdir()
        chance = random.Random(f"{subject} {number}")
        what, complaints = subjects[subject](training, faults, folder, chance, number / count)
        books.enter(f"disks {subject}", what, complaints)

    trials = [(subject, number, count) for subject, count in counts.items()
              for number in range(count)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, trials))


FEW = {"levels": 3, "full_for_a_while": 1, "read_only_for_a_while": 1, "calls": 3, "all_calls": 2,
       "file_levels": 4, "file_calls": 4, "output": 2}
ALL = {"levels": 50, "full_for_a_while": 5, "read_only_for_a_while": 5, "calls": 120,
       "all_calls": 40, "file_levels": 50, "file_calls": 60, "output": len(disk_files.COMMANDS)}
