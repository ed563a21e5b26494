"""Trainings on such disks. Each subject is a function (training, faults, folder, chance, share)
that returns what it did and its complaints; `share` goes from 0 to 1 over its trials."""

import re
import shutil

from mounts import filled, read_only, small_disk
from training import newest_whole, until

# A training that saves at these steps, is stopped at the last, and later resumed for some more.
SAVES = (3, 6, 9, 12, 15)
OPTIONS = ("--checkpoint.every", 3, "--run.stop_at", 15, "--checkpoint.give_up", 0)
RESUMED_UNTIL = 18
# KiB that are too few to begin, and enough for all.
SMALLEST, LARGEST = 8, 900


def logged_steps(log):
    """The steps of the whole lines of a log; the end of a disk may have cut the last."""
    text = log.read_text(errors="replace") if log.exists() else ""
    line = r'^\{"step":(\d+),.*\}\n' if log.name == "log.jsonl" else r"^step +(\d+)/.* left\b.*\n"
    return [int(step) for step in re.findall(line, text, re.M)]


def missing_steps(log, last):
    return sorted({*range(1, last + 1)} - {*logged_steps(log)})


def judge(training, job, code, run_dir):
    """Complaints about a job of OPTIONS whose disk was disturbed, whatever the way."""
    if code is None:
        return ["hang: it had to be ended"]
    complaints = training.wrong_hashes(job)
    text = job.text()
    if not re.search(r"^step +1/", text, re.M):
        if code != 3 or not job.trouble():
            complaints.append(f"silent: ended with {code} before its first step: {text[-1000:]}")
        return complaints
    if not job.done():
        return complaints + [f"lost: did not go on, but ended with {code}: {text[-2000:]}"]
    saved = [step for step, _ in job.saved()]
    failed = [int(step) for step in re.findall(r"warning: step (\d+) could not be saved", text)]
    if sorted(saved + failed) != list(SAVES):
        complaints.append(f"silent: saved {saved}, could not save {failed}")
    if code != (0 if SAVES[-1] in saved else 70):
        complaints.append(f"silent: ended with {code}, saved {saved}")
    return complaints + [f"silent: {name} has no step {step}" for name in ("log.jsonl", "train.log")
                         for step in missing_steps(run_dir / name, 15)
                         if f"{name}' cannot be written" not in text]


def judge_resumed(training, job, run_dir, ranks):
    """Complaints about going on in `run_dir` on a disk that is well."""
    newest = newest_whole(run_dir)
    told = max((step for step, _ in job.saved()), default=0)
    complaints = [] if newest >= told else [f"lost: step {told} was saved, the newest is {newest}"]
    complaints += training.resume_complaints(run_dir, newest, ranks, RESUMED_UNTIL)
    steps = logged_steps(run_dir / "log.jsonl")
    if steps != sorted(set(steps)):
        complaints.append(f"lost: log.jsonl holds steps {steps}")
    return complaints


def levels(training, _, folder, chance, share):
    """A disk with room for some of it."""
    ranks = chance.choice([1, 2, 3])
    kib = round(SMALLEST + share * (LARGEST - SMALLEST))
    with small_disk(folder / "disk", kib) as disk:
        job = training.start(disk / "run", ranks, *OPTIONS, output=folder / "out")
        complaints = judge(training, job, job.wait(), disk / "run")
        if (disk / "run").exists():
            shutil.copytree(disk / "run", folder / "run")
    if (folder / "run").exists():
        complaints += judge_resumed(training, job, folder / "run", ranks)
    return f"{kib} KiB, {ranks} ranks", complaints


def for_a_while(training, job, run_dir, trouble, words):
    """`trouble` is there from some step on, until the job has said `words`; then all must be as if
    it had not been."""
    until(lambda: job.has_ended() or len(job.saved()) > 2, "saves")
    with trouble:
        until(lambda: job.has_ended() or all(word in job.text() for word in words), "trouble")
    code = job.wait()
    if code is None:
        return ["hang: it had to be ended"]
    complaints = training.wrong_hashes(job)
    text = job.text()
    if not all(word in text for word in words):
        complaints.append("silent: the disk was disturbed without a word, or too late")
    if code != 0 or not job.done():
        return complaints + [f"lost: ended with {code}: {text[-2000:]}"]
    last = job.done()[0]
    if job.saved()[-1][0] != last:
        complaints.append("lost: its last step was not saved")
    return complaints + [f"lost: {name} has no step {step}" for name in ("log.jsonl", "train.log")
                         for step in missing_steps(run_dir / name, last)]


def full_for_a_while(training, _, folder, chance, __):
    """A disk that somebody fills, and then makes room."""
    ranks = chance.choice([1, 2, 3])
    with small_disk(folder / "disk", 3000) as disk:
        job = training.start(disk / "run", ranks, "--checkpoint.give_up", 0, output=folder / "out")
        words = ("could not be saved", "log.jsonl' cannot be written")
        complaints = for_a_while(training, job, disk / "run", filled(disk), words)
    return f"{ranks} ranks", complaints


def read_only_for_a_while(training, _, folder, chance, __):
    """A disk that takes nothing new for a while."""
    ranks = chance.choice([1, 2, 3])
    run_dir = folder / "run"
    job = training.start(run_dir, ranks, "--checkpoint.give_up", 0)
    complaints = for_a_while(training, job, run_dir, read_only(run_dir), ("could not be saved",))
    return f"{ranks} ranks", complaints


def disturbed(training, faults, folder, chance, mode, times):
    """One rank's calls on files of the run, from a random one on, do what `mode` says."""
    rank, run_dir, log = chance.randrange(2), folder / "run", folder / "calls"
    # Rank 0 makes some 290 of them in OPTIONS, rank 1 some 75.
    at = chance.randint(1, 290 if rank == 0 else 75)
    job = training.start(run_dir, 2, *OPTIONS, environment=faults.environment(
        f"{run_dir}/", rank=rank, at=at, times=times, mode=mode, log=log))
    code = job.wait()
    calls = log.read_text(errors="replace").splitlines() if log.exists() else []
    call = calls[at - 1] if at <= len(calls) else "none"
    complaints = judge(training, job, code, run_dir)
    if mode == "short" and (code != 0 or job.trouble()):
        complaints.append(f"lost: a short write ended with {code}: {job.trouble()}")
    # HDF5 tries to open a file before it creates it, and needs no success in that.
    if mode != "short" and call != "none" and not call.startswith("open") and not job.trouble():
        complaints.append("silent: no word of it")
    complaints += judge_resumed(training, job, run_dir, 2)
    return f"rank {rank} of 2, {mode} in call {at} ({call}), {times} time(s)", complaints


def calls(training, faults, folder, chance, _):
    """One call."""
    mode = chance.choice(["EIO", "EROFS", "ENOSPC", "short"])
    return disturbed(training, faults, folder, chance, mode, 1)


def all_calls(training, faults, folder, chance, _):
    """From one call on, all of them."""
    mode = chance.choice(["EIO", "EROFS", "ENOSPC", "short"])
    return disturbed(training, faults, folder, chance, mode, 1000000)


SUBJECTS = {"levels": levels, "full_for_a_while": full_for_a_while,
            "read_only_for_a_while": read_only_for_a_while, "calls": calls, "all_calls": all_calls}
