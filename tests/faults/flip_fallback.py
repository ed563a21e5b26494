"""A run whose newest checkpoints are damaged goes on from the newest that is whole, to the same
bits; those that are damaged are named and renamed, and what is kept afterwards is whole."""

import random
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

from flip_found import verdicts

STEPS_SAVED = (9, 12, 15)
RESUMED_UNTIL = 18
AT_ONCE = 2


def flip(chance, folder, file):
    content = bytearray(file.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)


def cut(chance, folder, file):
    file.write_bytes(file.read_bytes()[:chance.randrange(file.stat().st_size)])


def gone(chance, folder, file):
    file.unlink()


def zeros(chance, folder, file):
    """A block of the disk that was never written."""
    content = bytearray(file.read_bytes())
    at = 512 * chance.randrange(len(content) // 512)
    if not any(content[at:at + 512]):
        at = 0
    content[at:at + 512] = bytes(512)
    file.write_bytes(content)


def of_another_step(chance, folder, file):
    """The same file of the oldest checkpoint, which is never damaged."""
    shutil.copy(folder.with_name(f"step-{STEPS_SAVED[0]}") / file.name, file)


DAMAGES = {"flip": flip, "cut": cut, "gone": gone, "zeros": zeros,
           "of another step": of_another_step}


def fallback(training, folder, books, count):
    """`count` runs, of which each has one or two damaged checkpoints."""
    job = training.start(folder / "trained", 2, "--checkpoint.every", 3, "--checkpoint.keep", 3,
                         "--run.stop_at", STEPS_SAVED[-1])
    if job.wait() != 0:
        raise RuntimeError(job.text())

    def trial(number):
        run_dir = folder / f"run-{number}"
        shutil.copytree(folder / "trained", run_dir)
        what, complaints = one(training, run_dir, random.Random(number))
        books.enter("flips fallback", what, complaints)
        shutil.rmtree(run_dir)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(trial, range(count)))


def one(training, run_dir, chance):
    """Damages, resumes, and looks at what the run made of it."""
    damaged = chance.choice([(15,), (15,), (15, 12)])
    ranks = chance.choice([1, 2, 3])
    what = []
    for step in damaged:
        checkpoint = run_dir / f"checkpoints/step-{step}"
        file = chance.choice(sorted(checkpoint.iterdir()))
        damage = chance.choice(list(DAMAGES))
        what.append(f"{damage}: step-{step}/{file.name}")
        DAMAGES[damage](chance, checkpoint, file)
    good = max(step for step in STEPS_SAVED if step not in damaged)
    complaints = training.resume_complaints(run_dir, good, ranks, RESUMED_UNTIL)
    log = (run_dir / "train.log").read_text()
    for step in damaged:
        word = rf"^warning: .*step-{step}/.*it was renamed to '.*step-{step}\.damaged'"
        if not re.search(word, log, re.M):
            complaints.append(f"silent: no word about step {step}")
    kept = verdicts(training, run_dir)
    if len(kept) < 2 or set(kept.values()) != {"whole"}:
        complaints.append(f"lost: of what is kept, is said: {kept}")
    return f"{' and '.join(what)}, {ranks} ranks", complaints
