"""Commands that write a file or to standard output, on such disks. Subjects as in disk_runs.py."""

import os
import subprocess

from mounts import small_disk
from training import ENVIRONMENT, PATIENCE_S

# Commands that write FILE: they write all of it, or leave nothing and say why.
WRITERS = {
    "prepare": ("prepare", "--input", "{folder}/text.txt", "--output"),
    "prepare pieces": ("prepare", "--input", "{folder}/text.txt", "--tokenizer",
                       "sentencepiece:300", "--output"),
    "report": ("report", "{folder}/alone", "--output"),
}
# KiB: less than any of them takes, and more than each.
SMALLEST, LARGEST = 4, 400

# Commands that print.
COMMANDS = (
    ("--help",), ("--version",), ("train", "--help"), ("inspect", "{folder}/alone"),
    ("inspect", "{folder}/text.h5"), ("inspect", "--verify", "{folder}/alone"),
    ("generate", "--checkpoint", "{folder}/alone", "--prompt", "1", "--tokens", "4"),
    ("eval", "--checkpoint", "{folder}/alone", "--data", "{folder}/text.h5"),
    ("report", "{folder}/alone", "--output", "{trial}/page.html"),
    ("prepare", "--input", "{folder}/text.txt", "--output", "{trial}/text.h5"),
    ("train", "--config", "{folder}/config.ini", "--run.dir", "{trial}/dry", "--dry-run"),
    ("train", "--config", "{folder}/config.ini", "--run.dir", "{trial}/run", "--run.stop_at", "9"),
)


def call(training, words, output=subprocess.PIPE, environment=None, **places):
    """Runs a command; what it says comes as text, and None for one that hangs."""
    words = [str(word).format(folder=training.folder, **places) for word in words]
    try:
        return subprocess.run([training.ballast, *words], stdout=output, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE_S,
                              env={**os.environ, **ENVIRONMENT, **(environment or {})})
    except subprocess.TimeoutExpired:
        return None


def expected(training, folder, writer):
    """What a writer's file holds on a disk that is well."""
    file = folder / "expected"
    if call(training, [*WRITERS[writer], file]).returncode != 0:
        raise RuntimeError(f"{writer} does not work")
    return file.read_bytes()


def judge(outcome, place, whole):
    """Complaints about a writer whose file should lie in `place`, alone, and hold `whole`."""
    if outcome is None:
        return ["hang: it had to be ended"]
    # Whole even where it ended with an error: the disk may not have promised to keep it.
    whole_file = place / "file"
    left = sorted(path.name for path in place.iterdir() if path != whole_file)
    complaints = [f"lost: left {name} behind" for name in left]
    is_there = whole_file.exists()
    if is_there and whole_file.read_bytes() != whole:
        complaints.append("silent: left a file that is not whole")
    is_told = outcome.returncode == 3 and str(place) in outcome.stderr
    if not (is_told or (outcome.returncode == 0 and is_there)):
        complaints.append(f"silent: ended with {outcome.returncode}: {outcome.stderr}")
    return complaints


def file_levels(training, _, folder, chance, share):
    """A disk with room for some of the file."""
    writer = chance.choice(list(WRITERS))
    kib = round(SMALLEST + share * (LARGEST - SMALLEST))
    whole = expected(training, folder, writer)
    with small_disk(folder / "disk", kib) as disk:
        complaints = judge(call(training, [*WRITERS[writer], disk / "file"]), disk, whole)
    return f"{writer} on {kib} KiB", complaints


def file_calls(training, faults, folder, chance, _):
    """One call on the file, or all from one on, fail or do half of their work."""
    writer = chance.choice(list(WRITERS))
    mode = chance.choice(["EIO", "EROFS", "ENOSPC", "short"])
    times = chance.choice([1, 1000000])
    whole = expected(training, folder, writer)
    place, log = folder / "place", folder / "calls"
    place.mkdir()
    command = [*WRITERS[writer], place / "file"]
    count = len(calls_of(training, faults, command, place, log))
    at = chance.randint(1, count)
    for path in [*place.iterdir(), log]:
        path.unlink()
    outcome = call(training, command, environment=faults.environment(
        place, rank="alone", at=at, times=times, mode=mode, log=log))
    what = log.read_text().splitlines()[at - 1]
    complaints = judge(outcome, place, whole)
    # HDF5 tries to open a file before it creates it, and needs no success in that.
    is_needed = mode != "short" and not what.startswith("open")
    if outcome and outcome.returncode == 0 and is_needed:
        complaints.append(f"silent: ended with 0: {outcome.stderr}")
    if outcome and outcome.returncode != 0 and mode == "short":
        complaints.append(f"lost: a short write ended it: {outcome.stderr}")
    return f"{writer}, {mode} in call {at} of {count} ({what}), {times} time(s)", complaints


def calls_of(training, faults, command, place, log):
    """The calls on files under `place` of an undisturbed command."""
    call(training, command, environment=faults.environment(place, rank="alone", log=log))
    return log.read_text().splitlines()


def output(training, _, folder, __, share):
    """Standard output to a full disk: said, with a code; a training goes on and tells its log."""
    words = COMMANDS[round(share * len(COMMANDS))]
    with open("/dev/full", "w") as full:
        outcome = call(training, words, output=full, trial=folder)
    if outcome is None:
        return " ".join(words), ["hang: it had to be ended"]
    if (folder / "run").exists():
        log = (folder / "run/train.log").read_text()
        good = (outcome.returncode == 0 and f"state hash {training.hashes[9]}" in log
                and "standard output lost lines: No space left on device" in log)
    else:
        good = outcome.returncode == 3 and "standard output" in outcome.stderr
    problem = f"silent: ended with {outcome.returncode}: {outcome.stderr}"
    return " ".join(words), [] if good else [problem]


SUBJECTS = {"file_levels": file_levels, "file_calls": file_calls, "output": output}
