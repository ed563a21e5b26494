"""Whether damage is found and named: `ballast inspect --verify` reads checkpoints by the hundred,
each with one file that is not as it was, beside one that is whole."""

import json
import os
import random
import re
import shutil
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from training import PATIENCE_S

# Checkpoints that one command reads.
AT_A_TIME = 250
# Commands at a time.
AT_ONCE = 2
VALUE_BYTES = 12  # of a parameter: its weight and two moments

LARGER = ("--model.dim", 64, "--model.heads", 2, "--model.kv_heads", 2, "--model.ffn", 128,
          "--model.layers", 2)


class Damage:
    """`file` of a checkpoint with other content, made when it is needed."""

    def __init__(self, file, what, change):
        self.file = file
        self.what = what
        self.change = change

    def apply(self, folder):
        content = bytearray((folder / self.file).read_bytes())
        self.change(content)
        (folder / self.file).unlink()  # it is the file of all the others, too
        (folder / self.file).write_bytes(content)


def flip(file, at, bit):
    def change(content):
        content[at] ^= 1 << bit
    return Damage(file, f"bit {bit} of byte {at} of {file}", change)


def cut(file, size):
    def change(content):
        del content[size:]
    return Damage(file, f"{file} cut after {size} bytes", change)


def copy(whole, folder):
    """The same files again, which is quick."""
    folder.mkdir(parents=True)
    for file in whole.iterdir():
        os.link(file, folder / file.name)


def verdicts(training, run_dir):
    """What is said of each step."""
    said = subprocess.run([training.ballast, "inspect", "--verify", run_dir], text=True,
                          stdout=subprocess.PIPE, timeout=PATIENCE_S).stdout
    return {int(step): verdict
            for step, verdict in re.findall(r"^step-(\d+) +(.*?)$", said, re.M)}


def complaints_about(damage, verdict):
    """Empty if the damage was found and its place named."""
    if not verdict.startswith("damaged: "):
        return [f"silent: said '{verdict}'"]
    if f"/{damage.file}'" not in verdict:
        return [f"lost: not named: {verdict}"]
    return []


def try_all(training, folder, books, subject, whole, damages):
    """Enters each of them; returns what was said of them."""
    def batch(number):
        of_batch = damages[number:number + AT_A_TIME]
        run_dir = folder / f"run-{number}"
        copy(whole, run_dir / "checkpoints/step-0")
        for step, damage in enumerate(of_batch, start=1):
            copy(whole, run_dir / f"checkpoints/step-{step}")
            damage.apply(run_dir / f"checkpoints/step-{step}")
        said = verdicts(training, run_dir)
        shutil.rmtree(run_dir)
        if said.get(0) != "whole":
            books.enter(f"flips {subject}", "undamaged", [f"lost: said '{said.get(0)}'"])
        for step, damage in enumerate(of_batch, start=1):
            verdict = said.get(step, "nothing")
            books.enter(f"flips {subject}", damage.what, complaints_about(damage, verdict))
        return [said.get(step, "") for step in range(1, len(of_batch) + 1)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        batches = pool.map(batch, range(0, len(damages), AT_A_TIME))
        return [verdict for batch in batches for verdict in batch]


def newest(training, run_dir, ranks, *options):
    """The files of a checkpoint that a training of two steps left."""
    job = training.start(run_dir, ranks, "--run.stop_at", 2, *options)
    if job.wait() != 0:
        raise RuntimeError(job.text())
    return run_dir / "checkpoints/step-2"


def some(chance, everything, count):
    return everything if count == 0 else chance.sample(everything, min(count, len(everything)))


def places(whole):
    """Every byte: file and offset."""
    return [(path.name, at) for path in sorted(whole.iterdir())
            for at in range(path.stat().st_size)]


def flipped_bytes(training, folder, books, count):
    """One bit of each byte."""
    chance = random.Random(6)
    whole = newest(training, folder / "trained", 1)
    damages = [flip(file, at, chance.randrange(8))
               for file, at in some(chance, places(whole), count)]
    said = try_all(training, folder, books, "bytes", whole, damages)
    if count == 0:
        books.enter("flips tensors named", "every byte", unnamed_values(whole, said))


def unnamed_values(whole, said):
    """Complaints about tensors that were named less often than they have bytes."""
    named = Counter(re.findall(r"altered in tensor '([^']+)'", "\n".join(said)))
    tensors = json.loads((whole / "manifest.json").read_text())["tensors"]
    complaints = []
    for tensor in tensors:
        numel = 1
        for extent in tensor["shape"]:
            numel *= extent
        if named[tensor["name"]] < VALUE_BYTES * numel:
            complaints.append(f"lost: '{tensor['name']}' was named for {named[tensor['name']]} of "
                              f"{VALUE_BYTES * numel} bytes")
    return complaints


def cuts(training, folder, books, count):
    """Each length that is less than the whole."""
    whole = newest(training, folder / "trained", 1)
    damages = [cut(file, size) for file, size in some(random.Random(7), places(whole), count)]
    try_all(training, folder, books, "cuts", whole, damages)


def random_bits(training, folder, books, count):
    """Of a checkpoint that three ranks wrote."""
    chance = random.Random(8)
    whole = newest(training, folder / "trained", 3, *LARGER)
    damages = [flip(file, at, chance.randrange(8))
               for file, at in some(chance, places(whole), count)]
    try_all(training, folder, books, "bits", whole, damages)
